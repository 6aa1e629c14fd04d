import type { ClientOptions } from "pg";
import { lockNumbers } from "./lockNumbers.ts";
import { assertReleased, MigrationError, type Migrations, readMigrations } from "./migrations.ts";
import { connectPool, type Sql } from "./sql.ts";

export type { Sql, Tx } from "./sql.ts";

/** Most callers that wait for a connection, if nothing else is said. */
export const waitingMaxDefault = 10_000;

export interface DatabaseOptions {
  /** Where it is: a URL, or the embedded server's socket. */
  connection: string | { host: string; port: number; database: string; username: string };
  maxConnections?: number;
  /** Most callers waiting for a connection; beyond it they are turned away with OVERLOADED. */
  maxWaiting?: number;
  migrations: Migrations;
}

/** Opens the pool after the schema is brought up to date. @throws MigrationError */
export async function openDatabase(options: DatabaseOptions): Promise<Sql> {
  // A pool opened before a change of schema would keep plans that no longer fit, so it is opened after.
  const single = connect(options, 1);
  try {
    await migrate(single, options.migrations);
  } finally {
    await single.end({ timeoutMs: 5_000 });
  }
  return connect(options, options.maxConnections ?? 16);
}

/** How long a server may take to let a connection in: whoever waits for one is to be told within five. */
const connectTimeoutMs = 2_500;
/** A connection that carries nothing is tried after so long, so that one whose server vanished is found out. */
const keepAliveMs = 60_000;

function connect(
  { connection, maxWaiting }: Omit<DatabaseOptions, "migrations">,
  maxConnections: number,
): Sql {
  const options = {
    ...addressOf(connection),
    application_name: "bursar",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
  };
  return connectPool(options, { maxConnections, maxWaiting: maxWaiting ?? waitingMaxDefault });
}

function addressOf(connection: DatabaseOptions["connection"]): ClientOptions {
  if (typeof connection !== "string") {
    const { username, ...address } = connection;
    return { ...address, user: username };
  }
  // `sslmode` means what it means to PostgreSQL's own programs: `require` encrypts and checks no certificate.
  const asLibpq = /[?&]sslmode=/.test(connection) && !connection.includes("uselibpqcompat=");
  return { connectionString: asLibpq ? `${connection}&uselibpqcompat=true` : connection };
}

/** Applies every migration once, in order, all in one transaction. @throws MigrationError */
async function migrate(sql: Sql, migrations: Migrations): Promise<void> {
  const wanted = await readMigrations(migrations);
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${lockNumbers.migrations})`;
    await tx`CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
    const rows = await tx<{ name: string; checksum: string }[]>`SELECT name, checksum FROM migration`;
    const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
    assertReleased([...applied.keys()]);
    for (const { name, text, checksum } of wanted) {
      const before = applied.get(name);
      if (before === checksum) continue;
      if (before !== undefined)
        throw new MigrationError(
          "changed",
          `migration ${name} has changed since it was applied: never edit a migration, add one`,
        );
      await tx.unsafe(text);
      await tx`INSERT INTO migration (name, checksum) VALUES (${name}, ${checksum})`;
    }
  });
}
