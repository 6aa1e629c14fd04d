import { join } from "node:path";
import { importUserConfig } from "hardhat/hre";
import { describe, expect, test } from "vitest";
import { placements } from "../../../../scripts/contracts/canonical.ts";
import { changesBetween, readBuiltFrom } from "../../../../scripts/contracts/creationCode/builtFrom.ts";
import {
  differing,
  readShipped,
  readShippedFiles,
  shippedArtifacts,
} from "../../../../scripts/contracts/creationCode/shipped.ts";
import bursar from "../../../../scripts/ignition/modules/Bursar.ts";

const root = join(import.meta.dirname, "../../../..");

describe("the shipped creation code", () => {
  test("was built from the sources, settings and packages that are here", async () => {
    const shipped = await readShipped(root);
    const here = await readBuiltFrom(root, await importUserConfig(join(root, "hardhat.config.ts")));
    expect(shipped && changesBetween(shipped, here)).toEqual([]);
  });

  test("is there for every contract that is deployed, once, with its ABI", async () => {
    const files = await readShippedFiles(root);
    const named = [...bursar.futures].flatMap((future) =>
      "contractName" in future ? [future.contractName] : [],
    );
    for (const name of named) {
      const paths = [...files.keys()].filter((path) => path.endsWith(`/${name}.json`));
      expect(paths, name).toHaveLength(1);
      const artifact = JSON.parse(files.get(paths[0] ?? "") ?? "null");
      expect(artifact).toMatchObject({ contractName: name, linkReferences: {} });
      expect(artifact.bytecode).toMatch(/^0x([0-9a-f]{2})+$/);
      expect(artifact.abi).not.toHaveLength(0);
    }
  });

  test("is found by the path that the canonical contracts are placed from", async () => {
    const files = await readShippedFiles(root);
    for (const { contract } of placements) {
      expect(shippedArtifacts(contract).pathname).toContain(`/production/contracts/${contract}.json`);
      expect(files.has(`contracts/${contract}.json`)).toBe(true);
    }
  });

  test("has no folder that would pass for a Solidity source", async () => {
    for (const path of (await readShippedFiles(root)).keys()) expect(path).not.toContain(".sol");
  });
});

describe("differing", () => {
  const files = new Map([
    ["a.json", "1"],
    ["b.json", "2"],
  ]);

  test("is nothing between the same files", () => {
    expect(differing(files, new Map(files))).toEqual([]);
  });

  test("names what is another, missing or too many", () => {
    const other = new Map([
      ["b.json", "3"],
      ["c.json", "4"],
    ]);
    expect(differing(files, other)).toEqual(["a.json", "b.json", "c.json"]);
  });
});
