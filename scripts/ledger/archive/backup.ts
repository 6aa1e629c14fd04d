import { chmod, chown, copyFile, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import type { Connection } from "./database.ts";

/** Folders whose contents belong to the server that runs (PostgreSQL manual, "Making a Base Backup Using the Low Level API"). */
const emptied = new Set([
  "pg_wal",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);
const leftOut = /^(postmaster\.(pid|opts)|pgsql_tmp.*|pg_internal\.init.*|backup_label|tablespace_map)$/;

/**
 * Copies a data folder while its server works: a base backup of PostgreSQL's low-level interface, for servers that have no
 * `pg_basebackup` beside them, as the built-in one. The log that makes the copy whole is in it.
 * @param ending called when everything that was committed before is in the backup
 */
export async function baseBackup(
  connection: Connection,
  from: string,
  to: string,
  ending: () => void,
): Promise<void> {
  const sql = await openDatabase({ connection, maxConnections: 1, migrations: noMigrations });
  try {
    // One session from start to stop; its slot keeps the log that is needed, and goes with it.
    await sql.begin(async (tx) => {
      await tx`SELECT pg_create_physical_replication_slot(${`bursar_backup_${process.pid}`}, true, true)`;
      const [start] = await tx<
        { file: string }[]
      >`SELECT pg_walfile_name(pg_backup_start('bursar', true)) AS file`;
      await copyFolder(from, to);
      ending();
      const [stop] = await tx<{ label: string; file: string }[]>`
        SELECT labelfile AS label, pg_walfile_name(lsn) AS file FROM pg_backup_stop(false)`;
      if (!start || !stop) throw new Error("the server says nothing about its backup");
      await copyLog(join(from, "pg_wal"), join(to, "pg_wal"), start.file, stop.file);
      await writeFile(join(to, "backup_label"), stop.label);
      await likewise(join(from, "PG_VERSION"), join(to, "backup_label"));
    });
  } finally {
    await sql.end({ timeoutMs: 5_000 });
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await likewise(from, to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (leftOut.test(entry.name)) continue;
    if (entry.isDirectory() && emptied.has(entry.name)) await emptyFolder(source, target);
    else if (entry.isDirectory()) await copyFolder(source, target);
    else if (entry.isFile()) await copyOne(source, target);
  }
}

/** The folders within it stay, as the server expects them. */
async function emptyFolder(source: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await likewise(source, target);
  for (const entry of await readdir(source, { withFileTypes: true }))
    if (entry.isDirectory() && !leftOut.test(entry.name) && source.endsWith("pg_wal"))
      await emptyFolder(join(source, entry.name), join(target, entry.name));
}

/** A file that went meanwhile is dropped by the log as well. */
async function copyOne(source: string, target: string): Promise<void> {
  try {
    await copyFile(source, target);
    await likewise(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Log files have names that rise with what they hold. */
async function copyLog(from: string, to: string, first: string, last: string): Promise<void> {
  const files = (await readdir(from)).filter(
    (name) => /^[0-9A-F]{24}$/.test(name) && name >= first && name <= last,
  );
  if (!files.includes(first) || !files.includes(last))
    throw new Error(`the log from ${first} to ${last} is not all there`);
  for (const name of files) {
    await copyFile(join(from, name), join(to, name));
    await likewise(join(from, name), join(to, name));
  }
}

/** With its owner and mode, which PostgreSQL insists on. */
async function likewise(source: string, target: string): Promise<void> {
  const { uid, gid, mode } = await stat(source);
  if (process.getuid?.() === 0) await chown(target, uid, gid);
  await chmod(target, mode);
}
