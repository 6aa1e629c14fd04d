// How much of the contracts the Solidity tests reach. Every line and statement of contracts/ (but dev/) must be reached,
// or stand in test/contracts/coverage.json with the reason why not.
//   node scripts/contracts/coverage.ts [--json]
import { spawn } from "node:child_process";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";

const root = join(import.meta.dirname, "../..");
const help = `node scripts/contracts/coverage.ts [options]

  --json   one JSON object as the last line`;
/**
 * What must reach every line are the tests that say what is right there, attacks among them. Campaigns pass by it too, at
 * random, and run elsewhere; so does what asks for a summary's gas, of which an instrumented one takes more.
 */
const isTold = (file: string) =>
  !/(?:\.invariant|\.fuzz|Invariants)\.t\.sol$|^proofs\b|^attacks\/Trust\.t\.sol$/.test(file);
/** What a line is reached by is the question, not how often. */
const fuzzRuns = "8";
const testFolder = "test/contracts";
/** The instrumented build, beside the one that other checks use meanwhile. */
const folder = "data/coverage";

interface FileCoverage {
  file: string;
  linePercent: number;
  statementPercent: number;
  uncovered: string;
}

const values = readCommand(help, { json: { type: "boolean", default: false } });
await main();

async function main(): Promise<void> {
  const files = rowsOf(await runCovered()).filter(({ file }) => !file.startsWith("contracts/dev/"));
  const justified = JSON.parse(await readFile(join(root, "test/contracts/coverage.json"), "utf8")) as Record<
    string,
    string
  >;
  const incomplete = files.filter(
    ({ linePercent, statementPercent }) => linePercent < 100 || statementPercent < 100,
  );
  const gaps = incomplete.filter(({ file, uncovered }) => justified[`${file}:${uncovered}`] === undefined);
  const stale = Object.keys(justified).filter(
    (gap) => !incomplete.some(({ file, uncovered }) => gap === `${file}:${uncovered}`),
  );
  console.table(files);
  for (const { file, uncovered, statementPercent } of gaps)
    console.error(
      `${file}: lines ${uncovered} are not reached (${statementPercent} % of statements); test them, or say why in test/contracts/coverage.json under "${file}:${uncovered}"`,
    );
  for (const gap of stale)
    console.error(`${gap} is reached now: take it out of test/contracts/coverage.json`);
  console.log(
    `${files.length} contracts: ${files.length - incomplete.length} covered in full, ${Object.keys(justified).length} gaps justified`,
  );
  if (values.json) console.log(JSON.stringify({ files, gaps, justified }));
  // The instrumented run of an empty tree would have no gaps either.
  process.exitCode = files.length === 0 || gaps.length > 0 || stale.length > 0 ? 1 : 0;
}

async function runCovered(): Promise<string> {
  const tests: string[] = [];
  for await (const file of glob("**/*.t.sol", { cwd: join(root, testFolder) }))
    if (isTold(file)) tests.push(join(testFolder, file));
  const child = spawn(
    process.execPath,
    [
      join(root, "node_modules/hardhat/dist/src/cli.js"),
      ...["test", "solidity", "--coverage", ...tests.toSorted()],
    ],
    {
      cwd: root,
      env: { ...process.env, BURSAR_BUILD_FOLDER: folder, BURSAR_FUZZ_RUNS: fuzzRuns, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise((done) => child.once("close", done));
  if (code !== 0) {
    console.error(output.slice(-5_000));
    throw new Error(`the tests did not pass (${String(code)})`);
  }
  return output;
}

/** The rows of Hardhat's table: file, lines, statements, what was not reached. */
function rowsOf(output: string): FileCoverage[] {
  return [...output.matchAll(/^║ (contracts\/\S+)\s+│ ([\d.]+)\s+│ ([\d.]+)\s+│ (.*?)\s+║$/gm)].map(
    ([, file = "", lines, statements, uncovered = ""]) => ({
      file,
      linePercent: Number(lines),
      statementPercent: Number(statements),
      uncovered: uncovered === "-" ? "" : uncovered,
    }),
  );
}
