import { createHash } from "node:crypto";
import { glob, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NotReady, startProgram } from "./process.ts";

const root = join(import.meta.dirname, "../..");
const stamp = join(root, "web/.next/bursar-sources");

/** What the dashboard is built from. */
const sources = [
  "web/{app,features,lib,ui}/**/*",
  "web/*.config.{ts,mjs}",
  "offchain/{sdk,core,app,features}/**/*.ts",
  "contracts/generated/*.ts",
  "package-lock.json",
];

/** Builds the dashboard if its sources changed since it was last built. @returns whether it had to. */
export async function buildDashboard(logFile: string): Promise<boolean> {
  const wanted = await fingerprint();
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return false;
  const program = startProgram({
    name: "next build",
    command: process.execPath,
    args: [join(root, "node_modules/next/dist/bin/next"), "build", join(root, "web")],
    env: { NEXT_TELEMETRY_DISABLED: "1" },
    logFile,
  });
  const code = await program.exited;
  if (code !== 0)
    throw new NotReady(
      `the dashboard could not be built (${code})\n${(await readFile(logFile, "utf8")).slice(-3_000)}`,
    );
  await writeFile(stamp, wanted);
  return true;
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
