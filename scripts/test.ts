// Every check of the project with one summary at the end, one after another but for two. `--quick` runs those that take seconds.
//   npm test [-- --only <name>]      npm run check
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installBrowser } from "./stack/browser.ts";
import { installRedis } from "./stack/redis.ts";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules/.bin", name);
const node = process.execPath;

interface Check {
  name: string;
  /** Takes seconds: part of `npm run check`. */
  isQuick?: boolean;
  run: string[] | (() => Promise<void>);
  /** Reads how many tests passed from the output. */
  count?: (output: string) => number;
  /** Keeps one core busy and touches nothing that others use: runs while the next ones do. */
  isBeside?: boolean;
  /** Its last line is worth reading also when all is well. */
  isTold?: boolean;
}

const vitestCount = (output: string) =>
  Number(/Tests\s+(?:\d+ failed \| )?(\d+) passed/.exec(output)?.[1] ?? 0);
const hardhatCount = (output: string) =>
  [...output.matchAll(/^\s*(\d+) passing/gm)].reduce((sum, [, passed]) => sum + Number(passed), 0);

const checks: Check[] = [
  { name: "the database's driver is mended", isQuick: true, run: [node, "scripts/postinstall.mjs"] },
  { name: "format and lint (TypeScript)", isQuick: true, run: [bin("biome"), "ci", "."] },
  {
    name: "format (Solidity)",
    isQuick: true,
    run: [bin("prettier"), "--check", "--log-level", "warn", "contracts/**/*.sol", "test/**/*.sol"],
  },
  {
    name: "lint (Solidity)",
    isQuick: true,
    run: [bin("solhint"), "--disc", "--max-warnings", "0", "contracts/**/*.sol"],
  },
  { name: "contracts compile", isQuick: true, run: [bin("hardhat"), "build", "--quiet"] },
  { name: "generated files are current", isQuick: true, run: [node, "scripts/generate.ts", "--check"] },
  {
    name: "contracts' words, ABI and storage layout are current",
    isQuick: true,
    run: [node, "scripts/contracts.ts", "--check"],
  },
  {
    name: "gas is as committed",
    isBeside: true,
    run: [node, "scripts/bench/gas.ts", "--check"],
    isTold: true,
  },
  {
    name: "shipped creation code is the build's",
    // After the gas figures, which are of the same build.
    isBeside: true,
    run: [node, "scripts/creationCode.ts", "--check"],
    isTold: true,
  },
  { name: "accounting kernels are proved", isBeside: true, run: [node, "scripts/prove.ts"], isTold: true },
  { name: "generated routes are current", isQuick: true, run: [node, "scripts/routes.ts", "--check"] },
  { name: "types (service, scripts, tests)", isQuick: true, run: [bin("tsc"), "-p", "."] },
  { name: "types (dashboard)", isQuick: true, run: [bin("tsc"), "-p", "web"] },
  {
    name: "dependency directions",
    isQuick: true,
    run: [bin("depcruise"), "offchain", "web", "--config", ".dependency-cruiser.cjs"],
  },
  { name: "unused code", isQuick: true, run: [bin("knip")] },
  { name: "unit tests", isQuick: true, run: [bin("vitest"), "run", "--project", "unit"], count: vitestCount },
  {
    name: "contracts (Solidity)",
    run: [bin("hardhat"), "test", "solidity", "--no-compile"],
    count: hardhatCount,
  },
  { name: "contracts (viem)", run: [bin("hardhat"), "test", "nodejs", "--no-compile"], count: hardhatCount },
  { name: "Redis is installed", run: installRedis },
  {
    name: "service on a real chain and database",
    run: [bin("vitest"), "run", "--project", "offchain"],
    count: vitestCount,
  },
  { name: "browser is installed", run: installBrowser },
  {
    name: "dashboard in a real browser",
    run: [bin("vitest"), "run", "--project", "web"],
    count: vitestCount,
  },
  // Last: it leaves another build of the contracts behind.
  { name: "coverage of the contracts", run: [node, "scripts/coverage.ts"], isTold: true },
];

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
});

const chosen = checks.filter(
  ({ name, isQuick }) =>
    (!values.quick || isQuick) && (values.only === undefined || name.includes(values.only)),
);
const logs = join(root, "data/logs");
await mkdir(logs, { recursive: true });

interface Outcome {
  name: string;
  passed: boolean;
  seconds: number;
  tests: number;
}

const startedAt = performance.now();
const outcomes: Outcome[] = [];
let beside: Promise<unknown> = Promise.resolve();
for (const check of chosen) {
  const next = async () => outcomes.push(await perform(check));
  if (check.isBeside) beside = beside.then(next);
  else await next();
}
await beside;
summarise(outcomes);

async function perform({ name, run, count, isTold }: Check): Promise<Outcome> {
  const beganAt = performance.now();
  console.log(`\n▶ ${name}`);
  const { passed, output } = Array.isArray(run) ? await command(name, run) : await task(run);
  const seconds = (performance.now() - beganAt) / 1_000;
  if (passed && isTold) console.log(`${name}: ${output.trimEnd().split("\n").at(-1)}`);
  console.log(`${passed ? "✔" : "✘"} ${name} (${seconds.toFixed(1)} s)`);
  return { name, passed, seconds, tests: count?.(output) ?? 0 };
}

async function task(run: () => Promise<void>): Promise<{ passed: boolean; output: string }> {
  try {
    await run();
    return { passed: true, output: "" };
  } catch (error) {
    console.error(error);
    return { passed: false, output: "" };
  }
}

async function command(
  name: string,
  [program = "", ...args]: string[],
): Promise<{ passed: boolean; output: string }> {
  const logFile = join(logs, `test-${name.replace(/\W+/g, "-")}.log`);
  const log = createWriteStream(logFile);
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const code = await new Promise<number>((done) => {
    child.once("error", () => done(127));
    child.once("close", (status) => done(status ?? 1));
  });
  await new Promise<void>((done) => log.end(done));
  const output = await readFile(logFile, "utf8");
  // A passing check has nothing to say that the summary does not; a failing one says all.
  if (code !== 0) console.log(output.slice(-20_000));
  return { passed: code === 0, output };
}

function summarise(results: readonly Outcome[]): void {
  const failed = results.filter(({ passed }) => !passed);
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`\n${"─".repeat(72)}`);
  for (const { name, passed, seconds: took, tests } of results)
    console.log(
      `${passed ? "✔" : "✘"} ${name.padEnd(44)} ${took.toFixed(1).padStart(7)} s${tests ? `  ${tests} tests` : ""}`,
    );
  console.log(`${"─".repeat(72)}\n${seconds.toFixed(0)} s in all`);
  const tests = results.reduce((sum, outcome) => sum + outcome.tests, 0);
  console.log(`${tests + results.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
