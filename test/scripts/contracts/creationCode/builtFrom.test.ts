import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type BuiltFrom,
  changesBetween,
  readBuiltFrom,
} from "../../../../scripts/contracts/creationCode/builtFrom.ts";

const was: BuiltFrom = {
  solc: "0.8.37",
  openzeppelin: "5.7.0",
  settings: "aa",
  sources: { "contracts/A.sol": "1", "contracts/B.sol": "2" },
};

describe("what has changed since the shipped code was built", () => {
  test("is nothing, if all is the same", () => {
    expect(changesBetween(was, structuredClone(was))).toEqual([]);
  });

  test("names each source that has changed, is new or is gone", () => {
    const sources = { "contracts/A.sol": "9", "contracts/C.sol": "3" };
    expect(changesBetween(was, { ...was, sources })).toEqual([
      "contracts/A.sol has changed",
      "contracts/B.sol is gone",
      "contracts/C.sol is new",
    ]);
  });

  test.each([
    [{ solc: "0.8.38" }, "solc is 0.8.38, was 0.8.37"],
    [{ openzeppelin: "5.7.1" }, "@openzeppelin/contracts is 5.7.1, was 5.7.0"],
    [{ settings: "bb" }, "the compiler settings in hardhat.config.ts have changed"],
  ])("is the compiler, its settings and OpenZeppelin, too: %o", (change, said) => {
    expect(changesBetween(was, { ...was, ...change })).toEqual([said]);
  });
});

describe("what a build starts from", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "bursar-sources-"));
    await put("package.json", "{}");
    await put("contracts/a/A.sol", "contract A {}");
    await put("node_modules/solc/package.json", '{ "version": "0.8.37" }');
    await put("node_modules/@openzeppelin/contracts/package.json", '{ "version": "5.7.0" }');
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  async function put(path: string, text: string): Promise<void> {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }

  const config = (path: string, viaIR: boolean, defaultRuns = 1) => ({
    solidity: {
      profiles: {
        default: { version: "0.8.37", settings: { runs: defaultRuns } },
        production: { version: "0.8.37", path, settings: { viaIR } },
      },
    },
  });

  test("counts a comment, which changes the hash that the compiler adds to the code", async () => {
    const before = await readBuiltFrom(root, config("/solc", true));
    await put("contracts/a/A.sol", "contract A {} // a comment");
    const after = await readBuiltFrom(root, config("/solc", true));
    expect(changesBetween(before, after)).toEqual(["contracts/a/A.sol has changed"]);
  });

  test("counts the settings of production, and neither those of tests nor where the compiler lies", async () => {
    const before = await readBuiltFrom(root, config("/solc", true));
    expect(changesBetween(before, await readBuiltFrom(root, config("/elsewhere/solc", true, 2)))).toEqual([]);
    expect(changesBetween(before, await readBuiltFrom(root, config("/solc", false)))).toHaveLength(1);
  });

  test("counts no file that is no Solidity source, such as the shipped code itself", async () => {
    await put("contracts/generated/production/contracts/a/A.json", "{}");
    const { sources } = await readBuiltFrom(root, config("/solc", true));
    expect(Object.keys(sources)).toEqual(["contracts/a/A.sol"]);
  });
});
