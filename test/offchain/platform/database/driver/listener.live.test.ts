import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { eventually } from "../../../support/eventually.ts";

let server: TestServer;
let database: TestDatabase;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
});
afterAll(async () => {
  await database.close();
  await server.stop();
});

/** The server's processes whose last statement was a LISTEN. */
const listening = async () =>
  (
    await database.sql<{ pid: number }[]>`
      SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`
  ).map(({ pid }) => pid);

test("each listener of a channel hears it, until it listens no more", async () => {
  const heard: string[] = [];
  const [first, second] = await Promise.all([
    database.sql.listen("news", (payload) => heard.push(`first ${payload}`)),
    database.sql.listen("news", (payload) => heard.push(`second ${payload}`)),
  ]);
  await database.sql.listen("other.channel", (payload) => heard.push(`other ${payload}`));
  await database.sql`SELECT pg_notify('news', 'one')`;
  await eventually(() => heard).toEqual(["first one", "second one"]);
  await first?.unlisten();
  await database.sql`SELECT pg_notify('news', 'two')`;
  await eventually(() => heard.at(-1)).toBe("second two");
  await second?.unlisten();
  expect(heard).toHaveLength(3);
});

test("a listener whose connection was lost listens again on another", async () => {
  const heard: string[] = [];
  const { unlisten } = await database.sql.listen("kept", (payload) => heard.push(payload));
  const [pid] = await listening();
  await database.sql`SELECT pg_terminate_backend(${pid ?? 0}, 20000)`;
  await eventually(async () => (await listening()).filter((other) => other !== pid).length).toBe(1);
  // Its last LISTEN may still be of the channel before.
  await eventually(async () => {
    await database.sql`SELECT pg_notify('kept', 'after')`;
    return heard[0];
  }).toBe("after");
  await unlisten();
});
