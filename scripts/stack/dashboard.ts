import { createHash } from "node:crypto";
import { glob, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addresses } from "#addresses";
import { chainId } from "./chain.ts";
import { tail } from "./logs.ts";
import { untilReady } from "./process.ts";
import { Programs } from "./programs.ts";
import { beginnings, type Progress } from "./progress.ts";

const root = join(import.meta.dirname, "../..");
const nextProgram = join(root, "node_modules/next/dist/bin/next");
const readyTimeoutMs = 60_000;
const stamp = join(root, "web/.next/bursar-sources");

/** What the dashboard is built from. */
const sources = [
  "web/{app,features,lib,ui}/**/*",
  "web/*.config.{ts,mjs}",
  "offchain/{sdk,core,app,features}/**/*.ts",
  "contracts/generated/*.ts",
  "package-lock.json",
];

/** Where Next.js is in its build, by what it prints. */
const stages: readonly [RegExp, string][] = [
  [/Creating an optimized/, "compiling"],
  [/Collecting page data/, "collecting page data"],
  [/Generating static pages/, "generating pages"],
  [/Finalizing/, "finishing"],
];

/**
 * Builds the dashboard if its sources changed since it was last built. It gives way to the rest of a start, so that the
 * service answers first.
 * @returns whether it had to.
 */
export async function buildDashboard(
  logFile: string,
  options: { programs?: Programs; progress?: Progress } = {},
): Promise<boolean> {
  const { programs = new Programs(), progress = beginnings(() => {}) } = options;
  const sources = await fingerprint();
  if ((await readFile(stamp, "utf8").catch(() => "")) === sources) return false;
  // A build that is interrupted leaves neither the old one nor the new one.
  await rm(stamp, { force: true });
  await progress.during("building the dashboard", (at) =>
    programs.run(
      {
        name: "the build of the dashboard",
        command: process.execPath,
        args: [nextProgram, "build", join(root, "web")],
        env: { NEXT_TELEMETRY_DISABLED: "1" },
        logFile,
        isPolite: true,
        onLine: (line) => {
          const stage = stages.find(([pattern]) => pattern.test(line));
          if (stage) at(stage[1]);
        },
      },
      () => tail(logFile),
    ),
  );
  await writeFile(stamp, sources);
  return true;
}

/** Starts the built dashboard; resolves when it answers. */
export async function startDashboard(
  programs: Programs,
  options: { port: number; apiUrl: string; rpcUrl: string; logFile: string },
): Promise<void> {
  const { port, apiUrl, rpcUrl, logFile } = options;
  const web = programs.start({
    name: "the dashboard",
    command: process.execPath,
    args: [nextProgram, "start", join(root, "web"), "--port", String(port)],
    env: {
      NEXT_TELEMETRY_DISABLED: "1",
      BURSAR_API_URL: apiUrl,
      BURSAR_RPC_URL: rpcUrl,
      BURSAR_CHAIN_ID: String(chainId),
      BURSAR_TREASURY: addresses[chainId].Treasury,
      BURSAR_DEV_WALLET: "1",
    },
    logFile,
  });
  await untilReady(web, async () => (await fetch(`http://localhost:${port}/config.json`)).ok, {
    timeoutMs: readyTimeoutMs,
    lastWords: () => tail(logFile),
  });
}

async function fingerprint(): Promise<string> {
  const hash = createHash("sha256");
  const files: string[] = [];
  for await (const file of glob(sources, { cwd: root })) files.push(file);
  for (const file of files.toSorted()) {
    const { mtimeMs, size, isFile } = await stat(join(root, file)).then((s) => ({
      mtimeMs: s.mtimeMs,
      size: s.size,
      isFile: s.isFile(),
    }));
    if (isFile) hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}
