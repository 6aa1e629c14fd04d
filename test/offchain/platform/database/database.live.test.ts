import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { openDatabase, type Sql, type Tx } from "#offchain/platform/database/database.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";
import { until } from "../../support/node.ts";

const connections = 4;
let dataDir: string;
let server: EmbeddedPostgres;
let sql: Sql;

beforeEach(async () => {
  dataDir = join(import.meta.dirname, `../../../../data/test/postgres-${randomBytes(6).toString("hex")}`);
  server = await startPostgres({ dataDir });
  sql = await openDatabase({ connection: server.connection, maxConnections: connections, migrations });
  await sql`CREATE TABLE note (text text)`;
});
afterEach(async () => {
  await sql.end({ timeoutMs: 5_000 });
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** As many transactions as there are connections, all begun; each goes on with `rest` when told to. */
async function begun(rest: (tx: Tx) => Promise<unknown>) {
  let count = 0;
  let goOn = () => {};
  const isTold = new Promise<void>((done) => {
    goOn = done;
  });
  const outcomes = Array.from({ length: connections }, () =>
    sql
      .begin(async (tx) => {
        await tx`INSERT INTO note VALUES ('begun')`;
        count += 1;
        await isTold;
        await rest(tx);
      })
      .then(
        () => "done",
        () => "failed",
      ),
  );
  await until(
    () => count,
    (reached) => reached === connections,
  );
  return { outcomes, goOn };
}

async function killServer(): Promise<void> {
  process.kill(Number.parseInt(await readFile(join(dataDir, "postmaster.pid"), "utf8"), 10), "SIGKILL");
}

const allFailed = Array(connections).fill("failed");

test("a server that is killed fails its transactions, and the pool goes on with the next server", async () => {
  const { outcomes, goOn } = await begun((tx) => tx`SELECT pg_sleep(60)`);
  goOn();
  await killServer();
  expect(await Promise.all(outcomes)).toEqual(allFailed);
  server = await startPostgres({ dataDir });
  // Every connection of the pool, each in a transaction of its own at the same time.
  const sums = await Promise.all(Array.from({ length: connections }, () => sum()));
  expect(sums).toEqual(Array(connections).fill(2));
});

test("what a lost transaction still wanted to do is not done in another one", async () => {
  const { outcomes, goOn } = await begun(
    async (tx) => void (await tx`INSERT INTO note VALUES ('of a lost transaction')`),
  );
  await killServer();
  expect(await Promise.all(outcomes)).toEqual(allFailed);
  server = await startPostgres({ dataDir });
  const after = await begun((tx) => tx`INSERT INTO note VALUES ('ended')`);
  goOn();
  // The lost ones have had their say when a transaction that began after them is through.
  await new Promise((done) => setImmediate(done));
  after.goOn();
  expect(await Promise.all(after.outcomes)).toEqual(Array(connections).fill("done"));
  expect(await sql`SELECT text, count(*)::int AS count FROM note GROUP BY text ORDER BY text`).toEqual([
    { text: "begun", count: connections },
    { text: "ended", count: connections },
  ]);
});

async function sum(): Promise<number> {
  return sql.begin(async (tx) => {
    const [row] = await tx<{ two: number }[]>`SELECT 1 + 1 AS two, pg_sleep(0.1)::text`;
    return row?.two ?? 0;
  });
}
