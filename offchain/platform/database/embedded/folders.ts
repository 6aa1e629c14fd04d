import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isRoot, nobody, PostgresStartError } from "./system.ts";

/** Unix socket paths are short (107 bytes), so the socket lives in the temporary folder, named after the data folder. */
export async function socketFolder(dataDir: string): Promise<string> {
  const folder = join(tmpdir(), `bursar-${createHash("sha256").update(dataDir).digest("hex").slice(0, 16)}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Anybody may make folders there, also one of this name.
  const { uid, mode } = await lstat(folder);
  const isOurs = uid === process.getuid?.() || (isRoot() && uid === nobody);
  if (process.getuid && (!isOurs || (mode & 0o077) !== 0))
    throw new PostgresStartError(`${folder} belongs to somebody else, or is open to others: remove it`);
  if (isRoot()) await chown(folder, nobody, nobody);
  return folder;
}

export async function prepareFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (!isRoot()) return;
  await chown(dataDir, nobody, nobody);
  await mkdir(dirname(dataDir), { recursive: true });
  // Every folder above must let the server's user pass.
  for (let folder = dirname(dataDir); folder !== dirname(folder); folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    if (uid === process.getuid?.() && (mode & 0o001) === 0) await chmod(folder, mode | 0o001);
  }
}

/** The process that serves the folder, or did when it was killed; null when there is none. */
export async function serverPid(dataDir: string): Promise<number | null> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  return Number.isNaN(pid) ? null : pid;
}
