// What the driver of our own costs or gains against pg's pool as it comes: the same statements, connections and callers.
//   npm run bench:driver [-- --json --callers 64 --seconds 2]

import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";
import { count, median, round } from "./parts/figures.ts";
import { benchFolder } from "./parts/folder.ts";

const help = `npm run bench:driver [-- options]

Statements per second through pg's own pool, and through the driver that the service uses, by turns on one PostgreSQL:
reads of a row by its key, statements that add a row (without waiting for the disk), and transactions of three statements.

  --callers <n>       at once (default 64)
  --connections <n>   of each pool (default 4)
  --seconds <s>       of every run; five of each are made (default 2)
  --json              one JSON object as the last line`;

const values = readCommand(help, {
  callers: { type: "string", default: "64" },
  connections: { type: "string", default: "4" },
  seconds: { type: "string", default: "2" },
  json: { type: "boolean", default: false },
});

/** What this asks of pg's pool; the driver's declaration of `pg` has only what the driver uses. */
interface Pool {
  query(query: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
  connect(): Promise<Pool & { release(): void }>;
  end(): Promise<void>;
}
const pg = createRequire(import.meta.url)("pg") as { Pool: new (options: object) => Pool };

const keys = 10_000;
const rounds = 5;

interface Work {
  read(key: number): Promise<unknown>;
  add(key: number): Promise<unknown>;
  transact(key: number): Promise<unknown>;
}

const texts = {
  read: "SELECT key, amount FROM held WHERE key = $1",
  add: "INSERT INTO added (key, amount) VALUES ($1, $2)",
  spend: "UPDATE held SET amount = amount + 1 WHERE key = $1",
};

await main({
  callers: count("callers", values.callers),
  connections: count("connections", values.connections),
  runMs: count("seconds", values.seconds) * 1_000,
});

async function main(wanted: { callers: number; connections: number; runMs: number }): Promise<void> {
  const folder = await benchFolder("driver");
  const server = await startPostgres({
    dataDir: join(folder, "postgres"),
    programsDir: process.env.BURSAR_POSTGRES_BIN,
  });
  try {
    const figures = await measure(server, wanted);
    console.table(figures);
    if (values.json) console.log(JSON.stringify({ ...wanted, figures }));
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  { connection }: EmbeddedPostgres,
  { callers, connections, runMs }: { callers: number; connections: number; runMs: number },
) {
  const sql = await openDatabase({ connection, maxConnections: connections, migrations: noMigrations });
  await sql.unsafe(`
    CREATE TABLE held (key integer PRIMARY KEY, amount bigint NOT NULL);
    CREATE TABLE added (key integer NOT NULL, amount bigint NOT NULL);
    INSERT INTO held SELECT key, 0 FROM generate_series(0, ${keys - 1}) AS key;
    ALTER DATABASE ${connection.database} SET synchronous_commit = off`);
  await sql.end();
  const { username, ...address } = connection;
  const ours = await openDatabase({ connection, maxConnections: connections, migrations: noMigrations });
  const theirs = new pg.Pool({ ...address, user: username, max: connections });
  const ways = { pool: workOfPool(theirs), driver: workOfDriver(ours) };
  const figures: Record<string, { pool: number; driver: number; ratio: number }> = {};
  for (const verb of ["read", "add", "transact"] as const) {
    const rates = { pool: [] as number[], driver: [] as number[] };
    for (let turn = 0; turn < rounds; turn += 1)
      for (const way of ["pool", "driver"] as const)
        rates[way].push(await rate(ways[way][verb], callers, runMs));
    const [pool, driver] = [median(rates.pool), median(rates.driver)];
    figures[verb] = { pool: Math.round(pool), driver: Math.round(driver), ratio: round(driver / pool) };
  }
  await theirs.end();
  await ours.end();
  return figures;
}

/** Per second, of callers that each wait for their answers. */
async function rate(act: (key: number) => Promise<unknown>, callers: number, runMs: number): Promise<number> {
  let done = 0;
  const begin = performance.now();
  const end = begin + runMs;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let turn = 0; performance.now() < end; turn += 1) {
        await act((caller * 7_919 + turn) % keys);
        done += 1;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - begin);
}

/** Named, so that each connection prepares a statement once, as the driver does. */
function workOfPool(pool: Pool): Work {
  return {
    read: (key) => pool.query({ name: "read", text: texts.read, values: [key] }),
    add: (key) => pool.query({ name: "add", text: texts.add, values: [key, 1n] }),
    async transact(key) {
      const client = await pool.connect();
      try {
        await client.query({ name: "begin", text: "BEGIN", values: [] });
        await client.query({ name: "read", text: texts.read, values: [key] });
        await client.query({ name: "spend", text: texts.spend, values: [key] });
        await client.query({ name: "add", text: texts.add, values: [key, 1n] });
        await client.query({ name: "commit", text: "COMMIT", values: [] });
      } finally {
        client.release();
      }
    },
  };
}

function workOfDriver(sql: Sql): Work {
  return {
    read: (key) => sql`SELECT key, amount FROM held WHERE key = ${key}`,
    add: (key) => sql`INSERT INTO added (key, amount) VALUES (${key}, ${1n})`,
    transact: (key) =>
      sql.begin(async (tx) => {
        await tx`SELECT key, amount FROM held WHERE key = ${key}`;
        await tx`UPDATE held SET amount = amount + 1 WHERE key = ${key}`;
        await tx`INSERT INTO added (key, amount) VALUES (${key}, ${1n})`;
      }),
  };
}
