import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { fingerprintOf } from "./fingerprint.ts";

const run = promisify(execFile);
const data = join(import.meta.dirname, "../../../data/test");
/** What the folder that a server begins with follows from. */
const sources = ["offchain/platform/database/postgres.ts", "package-lock.json"];

/**
 * Lays a fresh data folder of PostgreSQL at `dataDir`, as its first start would create it. It is created once and copied
 * from then on: creating it takes a second of processor time, and the tests need a hundred.
 */
export async function layDataFolder(dataDir: string): Promise<void> {
  const original = join(data, `data-folder-${await fingerprintOf(sources)}`);
  if (!(await exists(original))) await create(original);
  // With its owner and modes, which PostgreSQL insists on.
  await run("cp", ["-a", original, dataDir]);
}

async function create(original: string): Promise<void> {
  await mkdir(data, { recursive: true });
  const draft = `${original}.${randomBytes(4).toString("hex")}`;
  const server = await startPostgres({ dataDir: draft });
  await server.stop();
  await chmod(draft, 0o700);
  // Two test files may both be the first: the folder appears whole or not at all.
  await rename(draft, original).catch(() => rm(draft, { recursive: true, force: true }));
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
