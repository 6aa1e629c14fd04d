import { glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HardhatUserConfig } from "hardhat/config";
import bursar from "../../ignition/modules/Bursar.ts";
import { type ArtifactOf, placements } from "../canonical.ts";
import type { BuiltFrom } from "./builtFrom.ts";

/** The creation code that comes with the repository: a folder of Hardhat artifacts, so that Ignition reads it as one. */
const shippedFolder = "contracts/generated/production";
/** Hardhat takes no file at the top of such a folder for an artifact. */
const builtFromFile = "builtFrom.json";

/** The shipped code of our own contracts. */
export const shippedArtifacts: ArtifactOf = (contract) =>
  new URL(`../../../${shippedFolder}/contracts/${contract}.json`, import.meta.url);

/** Deployments that read the shipped code instead of a build's. */
export const fromShipped = (config: HardhatUserConfig): HardhatUserConfig => ({
  ...config,
  paths: { ...config.paths, artifacts: shippedFolder },
});

/** What the shipped code was built from; null if none is there. */
export async function readShipped(root: string): Promise<BuiltFrom | null> {
  const text = await readFile(join(root, shippedFolder, builtFromFile), "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as BuiltFrom);
}

/** The files of the shipped code, by their path in its folder. */
export type Files = ReadonlyMap<string, string>;

/** What is shipped of a build: the contracts that are deployed, without what a deployment does not read. */
export async function filesOf(artifacts: URL, builtFrom: BuiltFrom): Promise<Files> {
  const folder = fileURLToPath(artifacts);
  const wanted = deployedContracts();
  const files = new Map([[builtFromFile, `${JSON.stringify(builtFrom, null, 2)}\n`]]);
  const found: string[] = [];
  for await (const path of glob("{contracts,@openzeppelin}/**/*.json", { cwd: folder }))
    found.push(path.replaceAll("\\", "/"));
  for (const path of found.toSorted()) {
    const name = path.split("/").at(-1)?.slice(0, -".json".length) ?? "";
    if (!wanted.delete(name)) continue;
    // A build has a folder `Name.sol`, which would pass for a Solidity source here.
    files.set(
      path.replace(`/${name}.sol/`, "/"),
      strip(JSON.parse(await readFile(join(folder, path), "utf8")) as Artifact),
    );
  }
  if (wanted.size > 0) throw new Error(`the build at ${folder} has no ${[...wanted].join(", ")}`);
  return files;
}

/** The files as they are committed. */
export async function readShippedFiles(root: string): Promise<Files> {
  const files = new Map<string, string>();
  for await (const path of glob("**/*.json", { cwd: join(root, shippedFolder) }))
    files.set(path.replaceAll("\\", "/"), await readFile(join(root, shippedFolder, path), "utf8"));
  return files;
}

export async function writeShippedFiles(root: string, files: Files): Promise<void> {
  await rm(join(root, shippedFolder), { recursive: true, force: true });
  for (const [path, text] of files) {
    const file = join(root, shippedFolder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** Names of the files that are not the same in both. */
export function differing(one: Files, other: Files): string[] {
  const paths = [...new Set([...one.keys(), ...other.keys()])].toSorted();
  return paths.filter((path) => one.get(path) !== other.get(path));
}

/** What the deployment creates, by the contract's name. */
function deployedContracts(): Set<string> {
  const names = [...bursar.futures].flatMap((future) =>
    "contractName" in future ? [future.contractName] : [],
  );
  const placed = placements.map(({ contract }) => contract.split("/").at(-1) ?? contract);
  return new Set([...names, ...placed]);
}

interface Artifact {
  _format: string;
  contractName: string;
  sourceName: string;
  abi: unknown[];
  bytecode: string;
  linkReferences: object;
}

/** One line a part, so that a review sees which part has changed. */
function strip({ _format, contractName, sourceName, abi, bytecode, linkReferences }: Artifact): string {
  const kept = {
    _format,
    contractName,
    sourceName,
    abi,
    bytecode,
    linkReferences,
    // Read from the chain by whoever wants it; the fields belong to the format.
    deployedBytecode: "0x",
    deployedLinkReferences: {},
  };
  const lines = Object.entries(kept).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value, withoutInternalType)}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** Solidity's own type names say nothing to a deployment. */
const withoutInternalType = (key: string, value: unknown) => (key === "internalType" ? undefined : value);
