// Every check of the project with one summary at the end, as many at a time as there are cores. `--quick` runs those
// that take seconds.
//   npm test [-- --only <name> --lanes <n>]      npm run check
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { type Check, checks } from "./check/checks.ts";
import { schedule } from "./check/schedule.ts";

const root = join(import.meta.dirname, "..");

const help = `npm test [-- options]      npm run check

Every check of the project, and a summary at the end. Redis and a browser that are not there are installed: on Debian and
Ubuntu as root by apt.

  --only <name>   only checks whose name contains this
  --lanes <n>     checks at a time (default: as many as there are cores)
  --quick         those that take seconds, as npm run check`;

const values = readCommand(help, {
  quick: { type: "boolean", default: false },
  only: { type: "string" },
  lanes: { type: "string", default: String(availableParallelism()) },
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
summarise(await schedule(chosen, Number(values.lanes), perform));

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
    env: {
      ...process.env,
      NEXT_TELEMETRY_DISABLED: "1",
      NO_COLOR: "1",
      // Tests start hundreds of processes of the same sources, whose types are stripped once.
      NODE_COMPILE_CACHE: join(root, "data/compile-cache"),
    },
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
