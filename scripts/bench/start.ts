// The first minute of somebody new: a fresh clone of HEAD, its installation, its first start and its second.
//   npm run bench:start [-- --json --keep]
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { freePort } from "../stack/port.ts";
import { startProgram } from "../stack/process.ts";

const help = `npm run bench:start [-- options]

Clones HEAD into data/, installs it with the usual npm cache, starts it twice, and says after how many seconds the API
answers and the dashboard shows its first page. Needs no network beyond what the installation needs.

  --json   one JSON object as the last line: installS, apiS, pageS, againS (the second start's page)
  --keep   leaves the clone where it is`;

const root = join(import.meta.dirname, "../..");
const startTimeoutMs = 20 * 60_000;
const pollMs = 100;

const values = readCommand(help, {
  json: { type: "boolean", default: false },
  keep: { type: "boolean", default: false },
});

async function main(): Promise<void> {
  await mkdir(join(root, "data"), { recursive: true });
  const folder = await mkdtemp(join(root, "data/bench-start-"));
  const clone = join(folder, "bursar");
  try {
    if ((await output("git", ["status", "--porcelain"], root)) !== "")
      console.error("changes that are not committed are not measured: HEAD is cloned");
    await output("git", ["clone", "--quiet", root, clone], folder);
    console.error("installing");
    const beganAt = performance.now();
    await output("npm", ["install", "--no-audit", "--no-fund"], clone);
    const installS = secondsSince(beganAt);
    console.error("first start");
    const first = await start(clone);
    console.error("second start");
    const again = await start(clone);
    const figures = { installS, apiS: first.apiS, pageS: first.pageS, againS: again.pageS };
    console.table({
      "npm install": { seconds: installS },
      "first start: the API answers": { seconds: first.apiS },
      "first start: the dashboard shows a page": { seconds: first.pageS },
      "second start: the API answers": { seconds: again.apiS },
      "second start: the dashboard shows a page": { seconds: again.pageS },
    });
    if (values.json) console.log(JSON.stringify(figures));
  } finally {
    if (!values.keep) await rm(folder, { recursive: true, force: true });
  }
}

/** Starts what was cloned with the Node that it brings, as `npm start` does, until its first page; then stops it. */
async function start(clone: string): Promise<{ apiS: number; pageS: number }> {
  const [chain, api, web] = [await freePort(28_545), await freePort(24_020), await freePort(23_000)];
  const logFile = join(clone, "../start.log");
  const bin = join(clone, "node_modules/.bin");
  const beganAt = performance.now();
  const program = startProgram({
    name: "npm start",
    command: join(bin, process.platform === "win32" ? "node.cmd" : "node"),
    args: [
      join(clone, "scripts/start.ts"),
      ...["--chain-port", String(chain), "--api-port", String(api), "--web-port", String(web)],
    ],
    env: { PATH: [bin, ordinaryPath()].join(delimiter) },
    logFile,
  });
  let isGone = false;
  void program.exited.then(() => {
    isGone = true;
  });
  const answered = async (url: string): Promise<number> => {
    while (!(await answers(url))) {
      if (isGone || performance.now() - beganAt > startTimeoutMs)
        throw new Error(`${url} does not answer\n${(await readFile(logFile, "utf8")).slice(-3_000)}`);
      await delay(pollMs);
    }
    return secondsSince(beganAt);
  };
  try {
    const [apiS, pageS] = await Promise.all([
      answered(`http://127.0.0.1:${api}/ready`),
      answered(`http://localhost:${web}/`),
    ]);
    // A page without its API shows nothing yet.
    return { apiS, pageS: Math.max(apiS, pageS) };
  } finally {
    program.child.kill("SIGINT");
    await program.exited;
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    async (response) => {
      await response.arrayBuffer();
      return response.ok;
    },
    () => false,
  );

/** Runs a program as a person would who has none of this repository's programs on the path. */
async function output(program: string, args: string[], cwd: string): Promise<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const child: ChildProcess = spawn(program, args, {
    cwd,
    env: { ...Object.fromEntries(inherited), PATH: ordinaryPath() },
    shell: process.platform === "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let complaints = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  if (code !== 0)
    throw new Error(`${program} ${args.join(" ")} failed (${code})\n${complaints.slice(-3_000)}`);
  return said.trim();
}

function ordinaryPath(): string {
  const parts = (process.env.PATH ?? "").split(delimiter);
  return parts.filter((part) => !part.replaceAll("\\", "/").endsWith("node_modules/.bin")).join(delimiter);
}

const secondsSince = (beganAt: number): number => Math.round((performance.now() - beganAt) / 100) / 10;

await main();
