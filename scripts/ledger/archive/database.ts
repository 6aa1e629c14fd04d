import { join } from "node:path";
import { migrations } from "#offchain/app/migrations.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { type Migrations, noMigrations } from "#offchain/platform/database/migrations.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";

export type Connection = Parameters<typeof openDatabase>[0]["connection"];

export interface Opened {
  readonly sql: Sql;
  readonly connection: Connection;
  close(): Promise<void>;
}

/** A database by its address, or that of a data folder, whose server is started where none runs. @param place URL, or folder */
export async function openPlace(place: string, schema: Migrations = migrations): Promise<Opened> {
  const isUrl = /^postgres(ql)?:/.test(place);
  const server = isUrl ? null : await startPostgres({ dataDir: join(place, "postgres") });
  const connection = server?.connection ?? place;
  const sql = await openDatabase({ connection, maxConnections: 4, migrations: schema });
  return {
    sql,
    connection,
    async close() {
      await sql.end({ timeoutMs: 5_000 });
      if (server && !server.wasRunning) await server.stop();
    },
  };
}

/** Whether nothing was ever made in the database. */
export async function isEmpty(connection: Connection): Promise<boolean> {
  const sql = await openDatabase({ connection, maxConnections: 1, migrations: noMigrations });
  try {
    const [found] = await sql<{ name: string }[]>`
      SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'migration' LIMIT 1`;
    const rows = await sql`SELECT FROM migration LIMIT 1`;
    return (found === undefined || found.name === "migration_pkey") && rows.length === 0;
  } finally {
    await sql.end({ timeoutMs: 5_000 });
  }
}
