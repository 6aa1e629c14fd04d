import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { migrations } from "#offchain/app/migrations.ts";
import { type DatabaseOptions, openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";

import { layDataFolder } from "./dataFolder.ts";

const data = join(import.meta.dirname, "../../../data/test");

/** A real server for one test file. */
export interface TestServer {
  /** A fresh, migrated database, and how to reach it from another process. */
  create(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly sql: Sql;
  readonly connection: Exclude<DatabaseOptions["connection"], string>;
  close(): Promise<void>;
}

export async function startTestServer(): Promise<TestServer> {
  const dataDir = join(data, `postgres-${randomBytes(6).toString("hex")}`);
  await layDataFolder(dataDir);
  const server: EmbeddedPostgres = await startPostgres({ dataDir });
  const admin = await openDatabase({ connection: server.connection, maxConnections: 1, migrations: [] });
  return {
    create: async () => {
      const name = `test_${randomBytes(6).toString("hex")}`;
      await admin`CREATE DATABASE ${admin(name)}`;
      const connection = { ...server.connection, database: name };
      const sql = await openDatabase({ connection, migrations });
      return { sql, connection, close: () => sql.end({ timeout: 5 }) };
    },
    stop: async () => {
      await admin.end({ timeout: 5 });
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
