import { randomBytes } from "node:crypto";
import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { migrations } from "#offchain/app/migrations.ts";
import { type DatabaseOptions, openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { type Migrations, noMigrations } from "#offchain/platform/database/migrations.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";

import { layDataFolder } from "./dataFolder.ts";

const data = join(import.meta.dirname, "../../../data/test");

/** A real server for one test file. */
export interface TestServer {
  /** A fresh database with the schema of these migrations, if no others are given of Bursar's own. */
  create(schema?: Migrations): Promise<TestDatabase>;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly sql: Sql;
  readonly connection: Exclude<DatabaseOptions["connection"], string>;
  close(): Promise<void>;
}

/** @param settings lines of `postgresql.conf` */
export async function startTestServer(settings: readonly string[] = []): Promise<TestServer> {
  const dataDir = join(data, `postgres-${randomBytes(6).toString("hex")}`);
  await layDataFolder(dataDir);
  if (settings.length > 0) await appendFile(join(dataDir, "postgresql.conf"), `\n${settings.join("\n")}\n`);
  const server: EmbeddedPostgres = await startPostgres({ dataDir });
  const admin = await openDatabase({
    connection: server.connection,
    maxConnections: 1,
    migrations: noMigrations,
  });
  return {
    create: async (schema = migrations) => {
      const name = `test_${randomBytes(6).toString("hex")}`;
      await admin`CREATE DATABASE ${admin(name)}`;
      const connection = { ...server.connection, database: name };
      const sql = await openDatabase({ connection, migrations: schema });
      return { sql, connection, close: () => sql.end({ timeout: 5 }) };
    },
    stop: async () => {
      await admin.end({ timeout: 5 });
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
