import { randomBytes } from "node:crypto";
import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { migrations } from "#offchain/app/migrations.ts";
import { type DatabaseOptions, openDatabase } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { layDataFolder } from "./dataFolder.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: Exclude<DatabaseOptions["connection"], string>;
  }
}

/** A database with Bursar's schema that fresh ones are copied from. */
export const template = "bursar_template";

/** Starts the PostgreSQL in which test files have databases of their own; who troubles a server starts another. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = join(
    import.meta.dirname,
    "../../../data/test",
    `postgres-${randomBytes(6).toString("hex")}`,
  );
  await layDataFolder(dataDir);
  // Counts what statements read, for those tests that ask.
  await appendFile(join(dataDir, "postgresql.conf"), "\nshared_preload_libraries = 'pg_stat_statements'\n");
  const server = await startPostgres({ dataDir });
  const admin = await openDatabase({
    connection: server.connection,
    maxConnections: 1,
    migrations: noMigrations,
  });
  await admin`CREATE DATABASE ${admin(template)}`;
  await admin.end({ timeoutMs: 5_000 });
  const connection = { ...server.connection, database: template };
  const sql = await openDatabase({ connection, maxConnections: 1, migrations });
  await sql.end({ timeoutMs: 5_000 });
  project.provide("postgres", server.connection);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
