import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openDatabase, type Sql, type Tx } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../../../support/databaseProxy.ts";
import { eventually } from "../../../support/eventually.ts";

const connections = 4;
let server: TestServer;
let database: TestDatabase;
let proxy: DatabaseProxy;
/** Goes through the proxy. */
let sql: Sql;
/** Goes straight to the server. */
let witness: Sql;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  witness = database.sql;
  await witness`CREATE TABLE note (at serial, text text UNIQUE)`;
});
afterAll(async () => {
  await database.close();
  await server.stop();
});
beforeEach(async () => {
  await witness`TRUNCATE note RESTART IDENTITY`;
  proxy = await startDatabaseProxy(database.connection);
  sql = await openDatabase({
    connection: proxy.connection,
    maxConnections: connections,
    migrations: noMigrations,
  });
  proxy.sent.splice(0);
  return async () => {
    await sql.end({ timeoutMs: 0 });
    await proxy.close();
  };
});

const note = (tx: Tx | Sql, text: string) => tx`INSERT INTO note (text) VALUES (${text})`;
const noted = async () =>
  (await witness<{ text: string }[]>`SELECT text FROM note ORDER BY at`).map(({ text }) => text);
const pidOf = async (tx: Tx) =>
  (await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`)[0]?.pid as number;
/** Ends the server's process of a connection, and waits until it is gone. */
const terminate = (pid: number) => witness`SELECT pg_terminate_backend(${pid}, 20000)`;

test("queries that are started together are sent before any is answered, and carried out in order", async () => {
  const texts = Array.from({ length: 20 }, (_, at) => `note ${at}`);
  await sql.begin(async (tx) => {
    await pidOf(tx);
    proxy.hold();
    const all = Promise.all(texts.map((text) => note(tx, text)));
    await eventually(() => proxy.sent.filter((text) => text.startsWith("INSERT")).length).toBe(texts.length);
    proxy.release();
    expect((await all).map(({ count }) => count)).toEqual(texts.map(() => 1));
  });
  expect(await noted()).toEqual(texts);
});

test("a plan that was made is used again, and only the text of the first is sent", async () => {
  await sql.begin(async (tx) => {
    await note(tx, "one");
    await note(tx, "two");
  });
  expect(proxy.sent).toEqual(["BEGIN ", "INSERT INTO note (text) VALUES ($1)", "again", "COMMIT"]);
});

test("BEGIN is answered before anything else is sent; a refused one does no work", async () => {
  let isDone = false;
  const refused = sql.begin("isolation level unheard of", async (tx) => {
    isDone = true;
    await note(tx, "by itself");
  });
  await expect(refused).rejects.toMatchObject({ name: "PostgresError", code: "42601" });
  expect(isDone).toBe(false);
  expect(proxy.sent).toEqual(["BEGIN isolation level unheard of"]);
  proxy.hold();
  const held = sql.begin((tx) => note(tx, "after"));
  await eventually(() => proxy.sent.at(-1)).toBe("BEGIN ");
  // Whatever else were ready to be sent would be sent by now.
  await witness`SELECT 1`;
  expect(proxy.sent.at(-1)).toBe("BEGIN ");
  proxy.release();
  await held;
  expect(await noted()).toEqual(["after"]);
});

test("a lost connection refuses all that is in flight, sends nothing more, and another one serves", async () => {
  const outcomes: PromiseSettledResult<unknown>[] = [];
  const lost = sql.begin(async (tx) => {
    await note(tx, "lost");
    const pid = await pidOf(tx);
    const all = Promise.allSettled([tx`SELECT pg_sleep(60)`, note(tx, "behind"), note(tx, "last")]);
    await eventually(() => proxy.sent.length).toBe(6);
    await terminate(pid);
    outcomes.push(...(await all), ...(await Promise.allSettled([note(tx, "after")])));
  });
  const isLost = { code: "STORE_UNAVAILABLE", fault: "CONNECTION_LOST" };
  await expect(lost).rejects.toMatchObject(isLost);
  await eventually(() => outcomes.length).toBe(4);
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ status: "rejected", reason: expect.objectContaining(isLost) });
  expect(proxy.sent).toHaveLength(6);
  expect(proxy.sent).not.toContain("COMMIT");
  await sql.begin((tx) => note(tx, "of another"));
  expect(await noted()).toEqual(["of another"]);
});

test("a transaction that waits for something else is told at once that its connection broke", async () => {
  let goOn = () => {};
  const elsewhere = new Promise<void>((done) => {
    goOn = done;
  });
  let isReached = false;
  const lost = sql.begin(async (tx) => {
    await note(tx, "lost");
    isReached = true;
    await elsewhere;
  });
  const told = expect(lost).rejects.toMatchObject({ fault: "CONNECTION_LOST" });
  await eventually(() => isReached).toBe(true);
  proxy.cut();
  await told;
  goOn();
  await sql.begin((tx) => note(tx, "of another"));
  expect(proxy.sent.filter((text) => text === "COMMIT")).toHaveLength(1);
  expect(await noted()).toEqual(["of another"]);
});

test("a COMMIT whose answer is lost is of unknown outcome", async () => {
  proxy.loseAnswerOf("COMMIT");
  await expect(sql.begin((tx) => note(tx, "written"))).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    fault: "CONNECTION_LOST_IN_COMMIT",
  });
  await eventually(noted).toEqual(["written"]);
});

test("what an aborted transaction still asks is refused, and the first refusal is told", async () => {
  const later: unknown[] = [];
  const aborted = sql.begin(async (tx) => {
    await note(tx, "kept by nobody");
    await tx`SELECT 1 / 0`.catch(() => {});
    later.push(...(await Promise.allSettled([note(tx, "one"), note(tx, "two")])));
  });
  await expect(aborted).rejects.toMatchObject({ code: "22012", query: "SELECT 1 / 0" });
  const isRefused = { status: "rejected", reason: expect.objectContaining({ code: "25P02" }) };
  expect(later).toMatchObject([isRefused, isRefused]);
  expect(proxy.sent.slice(-1)).toEqual(["ROLLBACK"]);
  expect(await noted()).toEqual([]);
});

test("a refusal that nobody waited for rolls back all the same", async () => {
  const unwatched = sql.begin(async (tx) => {
    await note(tx, "twice");
    void note(tx, "twice").then(
      () => {},
      () => {},
    );
  });
  await expect(unwatched).rejects.toMatchObject({
    code: "23505",
    constraint: "note_text_key",
    table: "note",
  });
  expect(await noted()).toEqual([]);
});

test("what the work throws is thrown, and a transaction that is over takes nothing more", async () => {
  let kept: Tx | null = null;
  const failed = sql.begin(async (tx) => {
    kept = tx;
    await note(tx, "rolled back");
    throw new Error("the work failed");
  });
  await expect(failed).rejects.toThrow("the work failed");
  await expect(note(kept as unknown as Tx, "late")).rejects.toThrow("the transaction is over");
  expect(await noted()).toEqual([]);
});

test("two transactions never share a connection", async () => {
  const busy = new Set<number>();
  let most = 0;
  const one = async (at: number) =>
    sql.begin(async (tx) => {
      const pid = await pidOf(tx);
      expect(busy).not.toContain(pid);
      busy.add(pid);
      most = Math.max(most, busy.size);
      await note(tx, `note ${at}`);
      await sql`SELECT 1`.catch(() => {});
      expect(await pidOf(tx)).toBe(pid);
      busy.delete(pid);
    });
  // A query outside waits for a connection too: never as many transactions as there are connections.
  const waves = Array.from({ length: connections - 1 }, async (_, wave) => {
    for (let at = 0; at < 20; at += 1) await one(wave * 100 + at);
  });
  await Promise.all(waves);
  expect(most).toBeGreaterThan(1);
  expect(await noted()).toHaveLength(20 * (connections - 1));
});
