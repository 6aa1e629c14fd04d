import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type DatabaseOptions, openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { startDatabaseProxy } from "../../../support/databaseProxy.ts";
import { eventually } from "../../../support/eventually.ts";

let server: TestServer;
let database: TestDatabase;
const opened: Sql[] = [];

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
});
afterAll(async () => {
  await database.close();
  await server.stop();
});
afterEach(async () => {
  for (const sql of opened.splice(0)) await sql.end({ timeoutMs: 0 });
});

async function open(options: Partial<DatabaseOptions>): Promise<Sql> {
  const sql = await openDatabase({ connection: database.connection, migrations: noMigrations, ...options });
  opened.push(sql);
  return sql;
}

/** Takes the pool's connections until it is told to give them back. */
function taken(sql: Sql) {
  let giveBack = () => {};
  const isOver = new Promise<void>((done) => {
    giveBack = done;
  });
  const transaction = sql.begin(async () => isOver);
  return { giveBack, transaction };
}

test("a bounded number waits for a connection, and the others are turned away by name", async () => {
  const sql = await open({ maxConnections: 1, maxWaiting: 3 });
  await sql`SELECT 1`;
  const { giveBack, transaction } = taken(sql);
  const queries = [sql<{ one: number }[]>`SELECT 1 AS one`, sql<{ one: number }[]>`SELECT 2 AS one`];
  const waiting = Promise.all([...queries, sql.begin((tx) => tx<{ one: number }[]>`SELECT 3 AS one`)]);
  await new Promise((done) => setImmediate(done));
  const isFull = { code: "OVERLOADED", facts: { waiting: 3, limit: 3 } };
  await expect(sql`SELECT 4`).rejects.toMatchObject(isFull);
  await expect(sql.begin((tx) => tx`SELECT 5`)).rejects.toMatchObject(isFull);
  giveBack();
  await transaction;
  expect((await waiting).map(([row]) => row?.one)).toEqual([1, 2, 3]);
});

test("a statement that takes too long is ended by the server, and the connection goes on", async () => {
  const sql = await open({ maxConnections: 1 });
  const late = sql.begin(async (tx) => {
    await tx`SET LOCAL statement_timeout = 1`;
    await tx`SELECT pg_sleep(60)`;
  });
  await expect(late).rejects.toMatchObject({ code: "57014" });
  expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

test("many queries on one connection are each given their own answer", async () => {
  const sql = await open({ maxConnections: 1 });
  const ask = (at: number) =>
    at % 10 === 3 ? sql`SELECT ${at}::int / 0 AS at` : sql`SELECT ${at}::int AS at`;
  const answers = await Promise.allSettled(Array.from({ length: 300 }, (_, at) => ask(at)));
  for (const [at, answer] of answers.entries())
    if (at % 10 === 3) expect(answer).toMatchObject({ reason: expect.objectContaining({ code: "22012" }) });
    else expect(answer).toEqual({ status: "fulfilled", value: [{ at }] });
});

test("a plan that the schema left behind is made anew", async () => {
  const sql = await open({ maxConnections: 1 });
  await sql`CREATE TABLE shape (one integer)`;
  await sql`INSERT INTO shape VALUES (1)`;
  const read = () => sql`SELECT * FROM shape`;
  expect(await read()).toEqual([{ one: 1 }]);
  await sql`ALTER TABLE shape ADD COLUMN two integer DEFAULT 2`;
  expect(await Promise.all([read(), read()])).toEqual([[{ one: 1, two: 2 }], [{ one: 1, two: 2 }]]);
  await sql`DEALLOCATE ALL`;
  expect(await read()).toEqual([{ one: 1, two: 2 }]);
});

test("a statement that could not be planned can be when what it lacked is there", async () => {
  const sql = await open({ maxConnections: 1 });
  const read = () => sql`SELECT one FROM missing`;
  const isMissing = { reason: expect.objectContaining({ code: "42P01" }) };
  expect(await Promise.allSettled([read(), read(), read()])).toMatchObject([isMissing, isMissing, isMissing]);
  await sql`CREATE TABLE missing (one integer)`;
  await sql`INSERT INTO missing VALUES (7)`;
  expect(await Promise.all([read(), read()])).toEqual([[{ one: 7 }], [{ one: 7 }]]);
});

test("an answer that cannot be read fails its query alone", async () => {
  const sql = await open({ maxConnections: 1 });
  const [unread, read] = await Promise.allSettled([
    sql`SELECT 'NaN'::numeric AS number`,
    sql`SELECT 1 AS one`,
  ]);
  expect(unread).toMatchObject({ reason: expect.objectContaining({ name: "SyntaxError" }) });
  expect(read).toEqual({ status: "fulfilled", value: [{ one: 1 }] });
});

test("a pool that ends finishes what was begun and takes nothing more", async () => {
  const sql = await open({ maxConnections: 2 });
  const { giveBack, transaction } = taken(sql);
  const last = sql.begin((tx) => tx`SELECT 1 AS one`);
  const end = sql.end();
  await new Promise((done) => setImmediate(done));
  await expect(sql`SELECT 2`).rejects.toMatchObject({ fault: "CONNECTION_ENDED" });
  giveBack();
  await transaction;
  expect(await last).toEqual([{ one: 1 }]);
  await end;
});

test("a pool that may wait no longer breaks off what is under way", async () => {
  const sql = await open({ maxConnections: 1 });
  const asleep = sql`SELECT pg_sleep(60)`.finally(() => {});
  const outcomes = Promise.allSettled([asleep, sql.begin((tx) => tx`SELECT 1`)]);
  await eventually(
    async () =>
      (
        await database.sql`SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active' AND datname = current_database()`
      ).length,
  ).toBe(1);
  await sql.end({ timeoutMs: 0 });
  const faults = (await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason.fault);
  expect(faults).toEqual(["CONNECTION_LOST", "CONNECTION_ENDED"]);
});

test("a server that says nothing is given up within five seconds; one that works for long is not", async () => {
  const proxy = await startDatabaseProxy(database.connection);
  const sql = await open({ connection: proxy.connection, maxConnections: 2 });
  await Promise.all([sql`SELECT pg_sleep(3)`, sql`SELECT 1`]);
  proxy.hold();
  const startedAt = performance.now();
  const asked = await Promise.allSettled([
    sql`SELECT 1`,
    sql.begin((tx) => tx`SELECT 2`),
    sql.begin((tx) => tx`SELECT 3`),
    sql`SELECT 4`,
  ]);
  expect(asked.map((outcome) => outcome.status === "rejected" && outcome.reason.code)).toEqual(
    asked.map(() => "STORE_UNAVAILABLE"),
  );
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  proxy.release();
  await eventually(() => sql<{ one: number }[]>`SELECT 1 AS one`.catch(() => null)).toEqual([{ one: 1 }]);
  await sql.end({ timeoutMs: 0 });
  await proxy.close();
});

test("an idle pool outlives a restart of its server", async () => {
  const dataDir = join(
    import.meta.dirname,
    `../../../../../data/test/postgres-${randomBytes(6).toString("hex")}`,
  );
  let own = await startPostgres({ dataDir });
  const sql = await open({ connection: own.connection, maxConnections: 2 });
  await Promise.all([sql`SELECT 1`, sql`SELECT 2`]);
  await own.stop();
  await expect(sql`SELECT 3`).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", remedy: "retry" });
  await expect(sql.begin((tx) => tx`SELECT 4`)).rejects.toMatchObject({ fault: "CONNECTION_FAILED" });
  own = await startPostgres({ dataDir });
  expect(await Promise.all([sql`SELECT 5 AS one`, sql.begin((tx) => tx`SELECT 6 AS one`)])).toEqual([
    [{ one: 5 }],
    [{ one: 6 }],
  ]);
  await sql.end({ timeoutMs: 5_000 });
  await own.stop();
  await rm(dataDir, { recursive: true, force: true });
});
