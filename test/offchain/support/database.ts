import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { type DatabaseOptions, openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { type Migrations, noMigrations } from "#offchain/platform/database/migrations.ts";
import { template } from "./globalServer.ts";

/** The run's real server, for one test file. */
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

/** Databases of one test file on the server of the run. Their data goes with the run's folder. */
export async function startTestServer(): Promise<TestServer> {
  const server = inject("postgres");
  const admin = await openDatabase({ connection: server, maxConnections: 1, migrations: noMigrations });
  return {
    create: async (schema = migrations) => {
      const name = `test_${randomBytes(6).toString("hex")}`;
      if (schema === migrations) await admin`CREATE DATABASE ${admin(name)} TEMPLATE ${admin(template)}`;
      else await admin`CREATE DATABASE ${admin(name)}`;
      const connection = { ...server, database: name };
      const sql = await openDatabase({ connection, migrations: schema });
      return { sql, connection, close: () => sql.end({ timeoutMs: 5_000 }) };
    },
    stop: () => admin.end({ timeoutMs: 5_000 }),
  };
}
