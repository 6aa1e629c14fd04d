import { afterAll, beforeAll, expect, test } from "vitest";
import { askedOf, type Question, questions, readsAll } from "../../scripts/bench/parts/reads/questions.ts";
import { addRows } from "../../scripts/bench/parts/reads/rows.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../offchain/support/database.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../offchain/support/databaseProxy.ts";
import { type FaultProxy, startFaultProxy } from "../offchain/support/faultProxy.ts";
import { testPort } from "../offchain/support/port.ts";
import { account, chainId, startTestStack, type TestStack, until } from "../offchain/support/stack.ts";
import { addOwnRows } from "./ownRows.ts";

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
let provider: FaultProxy;
let stack: TestStack;
/** What the chain was asked by `eth_call` and the like: what follows the chain is the service's own. */
let chainReads = 0;
const following =
  /^eth_(blockNumber|getBlock|getLogs|getTransaction|chainId|gasPrice|feeHistory|maxPriority)/;
beforeAll(async () => {
  const chainPort = await testPort();
  provider = await startFaultProxy({
    target: `http://127.0.0.1:${chainPort}`,
    seed: 1,
    heard: ({ method }) => {
      if (!following.test(method)) chainReads += 1;
    },
  });
  server = await startTestServer();
  database = await server.create();
  await database.sql`CREATE EXTENSION pg_stat_statements`;
  store = await startDatabaseProxy(database.connection);
  const { username, host, port, database: name } = store.connection;
  const environment = {
    BURSAR_RPC_URL: provider.url,
    DATABASE_URL: `postgres://${username}@${host}:${port}/${name}`,
    BURSAR_LOG_LEVEL: "error",
    BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0",
    BURSAR_RATE_PER_IP_PER_SECOND: "0",
    // A snapshot is of all there is, and on a machine under load one follows the other.
    BURSAR_SOLVENCY_EVERY_MS: "86400000",
    BURSAR_RECONCILE_EVERY_MS: "60000",
  };
  stack = await startTestStack(environment, { port: chainPort });
});
afterAll(async () => {
  await stack?.stop();
  await provider?.stop();
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

/** What one answer takes: how often each statement runs, the rows that it gives, and reads of the chain. */
interface Cost {
  statements: ReadonlyMap<string, { calls: number; rows: number }>;
  chainReads: number;
}

async function costOf(question: Question): Promise<Cost> {
  chainReads = 0;
  await database.sql`SELECT pg_stat_statements_reset()`;
  await ask(question);
  const rows = await database.sql<{ query: string; calls: number; rows: number }[]>`
    SELECT query, calls::int, rows::int FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  return { statements: new Map(rows.map(({ query, ...figures }) => [query, figures])), chainReads };
}

/** What may come beside it: reads of a new block, and a job's statements. */
const more = 10;
/** The longest page of any list, and one row that says whether another follows. */
const rowsOfPage = 201;

/** What is dear now, by what it was. */
function dearOf({ path }: Question, was: Cost | undefined, now: Cost): string[] {
  const ofStatements = [...now.statements].flatMap(([query, { calls, rows }]) => {
    const earlier = was?.statements.get(query)?.calls ?? 0;
    return [
      ...(calls > earlier + more ? [`${path}: more often than ${earlier} times: ${query}`] : []),
      ...(rows > rowsOfPage * Math.max(1, calls) ? [`${path}: more rows than a page: ${query}`] : []),
    ];
  });
  const earlier = was?.chainReads ?? 0;
  const isDear = now.chainReads > earlier + more;
  return isDear ? [...ofStatements, `${path}: more reads of the chain than ${earlier}`] : ofStatements;
}

test("no read asks database or chain more often, or reads more than a page, of 1,000 rows than of 10", {
  timeout: 300_000,
}, async () => {
  const asked = questions().filter(({ path }) => !readsAll.has(path));
  const add = async (from: number, to: number) => {
    await addRows(database.sql, from, to);
    await addOwnRows(database.sql, account(4).address, from, to);
  };
  await add(1, 10);
  const before = new Map<string, Cost>();
  for (const question of asked) before.set(question.path, await costOf(question));
  await add(11, 1_000);
  const dear: string[] = [];
  for (const question of asked) {
    const was = before.get(question.path);
    let found = dearOf(question, was, await costOf(question));
    for (let times = 0; found.length > 0 && times < askedAgain; times++) {
      const again = new Set(dearOf(question, was, await costOf(question)));
      found = found.filter((one) => again.has(one));
    }
    dear.push(...found);
  }
  expect(dear).toEqual([]);
});

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
  await addRows(database.sql, 1_001, few);
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
