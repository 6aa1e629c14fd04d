// The Solidity tests on forge's engine, which finds more than Hardhat's: every fuzz test with 10,000 runs, every invariant
// with 1,000 runs of 100 calls. Takes hours for all; a file or a contract takes minutes.
//   npm run test:deep [-- --match Staking --fuzz 10000 --runs 1000 --depth 100 --seed 1]
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";

const root = join(import.meta.dirname, "../../..");
const home = join(root, "data/forge");
/** Foundry 1.7.1 on npm: not every platform's package is in every registry. */
const forgeVersion = "1.7.1";
const forgePackage = `@foundry-rs/forge-${platform()}-${arch() === "x64" ? "amd64" : arch()}`;

const help = `npm run test:deep [-- options]

  --match <name>   only test files whose path contains this
  --fuzz <n>       runs of every fuzz test (default 10000)
  --runs <n>       runs of every invariant (default 1000)
  --depth <n>      calls of each run (default 100)
  --seed <n>       of the engine's randomness (default: another each time; a failure prints its own)

forge ${forgeVersion} is installed into data/forge from ${forgePackage}, and compiles with npm's solc.`;

const values = readCommand(help, {
  match: { type: "string", default: "" },
  fuzz: { type: "string", default: "10000" },
  runs: { type: "string", default: "1000" },
  depth: { type: "string", default: "100" },
  seed: { type: "string" },
});

async function main(): Promise<number> {
  await mkdir(home, { recursive: true });
  const forge = join(home, "node_modules", forgePackage, "bin/forge");
  if (!existsSync(forge)) {
    const code = await run("npm", [
      ...["install", "--prefix", home, "--no-save", "--no-audit", "--no-fund"],
      `${forgePackage}@${forgeVersion}`,
    ]);
    if (code !== 0 || !existsSync(forge)) {
      console.error(
        `${forgePackage} ${forgeVersion} could not be installed: forge is on npm for some platforms only`,
      );
      return 1;
    }
  }
  const solc = join(home, "solc");
  await writeFile(
    solc,
    `#!/bin/sh\nexec "${process.execPath}" "${join(root, "scripts/contracts/deep/solc.mjs")}" "$@"\n`,
  );
  await chmod(solc, 0o755);
  const config = join(home, "foundry.toml");
  await writeFile(config, configuration(solc));
  const seed = values.seed === undefined ? [] : ["--fuzz-seed", values.seed];
  return run(
    forge,
    ["test", "--offline", "--match-path", `test/contracts/**/*${values.match}*.t.sol`, ...seed],
    { FOUNDRY_CONFIG: config },
  );
}

const configuration = (solc: string): string => `[profile.default]
src = "contracts"
test = "test/contracts"
script = "data/forge/none"
libs = ["node_modules"]
out = "data/forge/out"
cache_path = "data/forge/cache"
remappings = ["@openzeppelin/=node_modules/@openzeppelin/"]
solc = "${solc}"
evm_version = "cancun"
optimizer = true
optimizer_runs = 200
auto_detect_remappings = false
disable_code_size_limit = true

[fuzz]
runs = ${Number(values.fuzz)}

[invariant]
runs = ${Number(values.runs)}
depth = ${Number(values.depth)}
fail_on_revert = false
`;

function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: "inherit" });
  return new Promise((done) => {
    child.once("error", () => done(127));
    child.once("close", (code) => done(code ?? 1));
  });
}

process.exitCode = await main();
