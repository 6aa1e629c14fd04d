import { createHash } from "node:crypto";
import { glob, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { HardhatUserConfig } from "hardhat/config";

/** Everything that the contracts' creation code follows from. Code that was built from the same is the same code. */
export interface BuiltFrom {
  readonly solc: string;
  readonly openzeppelin: string;
  /** SHA-256 of the compiler settings of the production profile. */
  readonly settings: string;
  /** Solidity file → SHA-256. A comment counts: the compiler puts a hash of the sources at the end of the code. */
  readonly sources: Readonly<Record<string, string>>;
}

/** Reads what a build would start from now: the sources, the compiler's settings, the installed packages. */
export async function readBuiltFrom(root: string, config: HardhatUserConfig): Promise<BuiltFrom> {
  const files: string[] = [];
  for await (const file of glob("contracts/**/*.sol", { cwd: root })) files.push(file.replaceAll("\\", "/"));
  const hashes = await Promise.all(
    files.toSorted().map(async (file) => [file, sha256(await readFile(join(root, file)))] as const),
  );
  const [solc, openzeppelin] = await Promise.all([
    installedVersion(root, "solc"),
    installedVersion(root, "@openzeppelin/contracts"),
  ]);
  return { solc, openzeppelin, settings: settingsOf(config), sources: Object.fromEntries(hashes) };
}

/** What differs, one sentence each; nothing if code built from `was` is what a build of `is` would give. */
export function changesBetween(was: BuiltFrom, is: BuiltFrom): string[] {
  const files = [...new Set([...Object.keys(was.sources), ...Object.keys(is.sources)])].toSorted();
  return [
    ...(was.solc === is.solc ? [] : [`solc is ${is.solc}, was ${was.solc}`]),
    ...(was.openzeppelin === is.openzeppelin
      ? []
      : [`@openzeppelin/contracts is ${is.openzeppelin}, was ${was.openzeppelin}`]),
    ...(was.settings === is.settings ? [] : ["the compiler settings in hardhat.config.ts have changed"]),
    ...files.flatMap((file) => {
      const [before, now] = [was.sources[file], is.sources[file]];
      if (before === now) return [];
      return [`${file} ${before === undefined ? "is new" : now === undefined ? "is gone" : "has changed"}`];
    }),
  ];
}

/** Where the compiler lies differs between machines, and changes no byte; everything else may. */
function settingsOf({ solidity }: HardhatUserConfig): string {
  const settings = JSON.stringify(productionOf(solidity), (key, value: unknown) =>
    key === "path" ? undefined : value,
  );
  return sha256(settings);
}

function productionOf(solidity: HardhatUserConfig["solidity"]): unknown {
  if (typeof solidity !== "object" || !("profiles" in solidity)) return solidity ?? null;
  return { npmFilesToBuild: solidity.npmFilesToBuild, production: solidity.profiles.production };
}

async function installedVersion(root: string, name: string): Promise<string> {
  const require = createRequire(join(root, "package.json"));
  const { version } = JSON.parse(await readFile(require.resolve(`${name}/package.json`), "utf8")) as {
    version: string;
  };
  return version;
}

const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
