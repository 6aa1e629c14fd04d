import { afterAll, beforeAll, expect, test } from "vitest";
import { askedOf, type Question, questions, readsAll } from "../../scripts/bench/parts/reads/questions.ts";
import { addRows } from "../../scripts/bench/parts/reads/rows.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../offchain/support/database.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../offchain/support/databaseProxy.ts";
import { account, chainId, startTestStack, type TestStack, until } from "../offchain/support/stack.ts";

/**
 * Every read, made from the list of actions, on few rows and on many: what the database reads for it must not grow with
 * them. Counted are pages, not time.
 */
const [few, many] = [6_000, 36_000];
/** An index grows by a level, and a page of a list lies in more places; to read a table of `many` in full takes more. */
const mayGrowBy = 420;
let server: TestServer;
let database: TestDatabase;
let store: DatabaseProxy;
let stack: TestStack;
beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  await database.sql`CREATE EXTENSION pg_stat_statements`;
  store = await startDatabaseProxy(database.connection);
  const { username, host, port, database: name } = store.connection;
  stack = await startTestStack({
    DATABASE_URL: `postgres://${username}@${host}:${port}/${name}`,
    BURSAR_LOG_LEVEL: "error",
    BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0",
    BURSAR_RATE_PER_IP_PER_SECOND: "0",
    // A snapshot is of all there is, and on a machine under load one follows the other.
    BURSAR_SOLVENCY_EVERY_MS: "86400000",
  });
});
afterAll(async () => {
  await stack?.stop();
  await store?.close();
  await database?.close();
  await server?.stop();
});

async function ask(question: Question): Promise<void> {
  const service = { url: stack.apiUrl, chainId };
  const { url, headers } = await askedOf(question, service, { agent: account(4), operator: account(0) });
  // A machine under load may be away for a moment: what is counted is an answer.
  const isAnswer = ({ status }: Response) => status < 500;
  const response = await until(() => fetch(url, { headers }), isAnswer);
  await response.text();
}

/** Pages that one run of each statement read since the counters were set back. */
async function pagesRead(): Promise<Map<string, number>> {
  const rows = await database.sql<{ query: string; pages: number }[]>`
    SELECT query, ((shared_blks_hit + shared_blks_read) / calls)::int AS pages FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls > 0`;
  return new Map(rows.map(({ query, pages }) => [query, pages]));
}

async function counted(work: () => Promise<unknown>): Promise<Map<string, number>> {
  await database.sql`SELECT pg_stat_statements_reset()`;
  await work();
  return pagesRead();
}

/** A job may run just then and read in full. What a read itself costs is there each time it is asked. */
const askedAgain = 8;

test("no read costs more pages of the database the more rows there are", { timeout: 300_000 }, async () => {
  const asked = questions().filter(({ path }) => !readsAll.has(path));
  const before = new Map<string, Map<string, number>>();
  const measure = async (each: (question: Question, read: Map<string, number>) => unknown) => {
    for (const question of asked) await each(question, await counted(() => ask(question)));
  };
  const grownOf = ({ path }: Question, read: Map<string, number>) =>
    [...read].flatMap(([query, pages]) => {
      const was = before.get(path)?.get(query) ?? 0;
      return pages > 1.5 * was + mayGrowBy
        ? [{ query, told: `${path}: ${was} -> ${pages} pages: ${query}` }]
        : [];
    });
  await addRows(database.sql, 1, few);
  await measure(() => {});
  await measure(({ path }, read) => before.set(path, read));
  await addRows(database.sql, few + 1, many);
  await measure(() => {});
  const grown: string[] = [];
  await measure(async (question, read) => {
    let found = grownOf(question, read);
    for (let times = 0; found.length > 0 && times < askedAgain; times++) {
      const again = new Set(grownOf(question, await counted(() => ask(question))).map(({ query }) => query));
      found = found.filter(({ query }) => again.has(query));
    }
    grown.push(...found.map(({ told }) => told));
  });
  expect(grown).toEqual([]);
});
