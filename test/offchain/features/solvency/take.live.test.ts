import { afterAll, beforeAll, expect, test } from "vitest";
import { openSolvency, type SolvencyOptions } from "#offchain/features/solvency/solvency.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import { hex } from "../../support/books.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";

const chainId = 31_337;
const hash = hex(32);
const token = hex(20);
const freshForMs = 5_000;
const fortyDaysMs = 40 * 86_400_000;

let server: TestServer;
let database: TestDatabase;
let runId: bigint;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  const [run] = await database.sql<{ id: bigint }[]>`
    INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, indexed_hash, filter_hash, started_at)
    VALUES (31337, ${bytesOf(hash)}, 0, 100, ${bytesOf(hash)}, ${bytesOf(hash)}, 0) RETURNING id`;
  runId = run?.id ?? 0n;
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

/** Snapshots of books in which nobody is owed anything, by a clock that the test moves. */
function opened(clock: { now(): number }) {
  return openSolvency({
    sql: database.sql,
    clock,
    chainId,
    freshForMs,
    isDefault: true,
    tokens: [{ unit: "AVT", token, holders: [] }],
    clearing: { address: hex(20), settlement: hex(20) },
    client: { getBlockNumber: async () => 100n, multicall: async () => [], getBlock: async () => ({ hash }) },
    view: { waitForBlock: async () => {}, runNow: () => runId, status: () => ({ finalTo: 0n }) },
    signer: { operator: hex(20), sign: async () => hex(65) },
    owing: {
      ledger: { owedWithin: async () => [], balancesWithin: async () => () => ({ balance: 0n }) },
      payments: { partiesWithin: async () => new Map() },
      clearings: { credits: async () => new Map() },
      x402: { chargedWithin: async () => new Map() },
    },
  } as unknown as SolvencyOptions);
}

test("a snapshot that a wrong clock took in the future is told, and keeps none from being taken now", async () => {
  const clock = { at: 1_000_000, now: () => clock.at };
  const { take, problem, list } = opened(clock);
  const first = await take();
  clock.at += freshForMs - 1;
  expect(await take()).toEqual(first);
  expect(await problem()).toBeNull();
  clock.at += fortyDaysMs;
  const ahead = await take();
  clock.at -= fortyDaysMs;
  expect(await problem()).toContain(`snapshot ${ahead.snapshotId} was taken ${fortyDaysMs} ms ahead of now`);
  const next = await take();
  expect(next.items[0]?.previous).toBe(ahead.items[0]?.root);
  expect(await problem()).toBeNull();
  const { items } = await list({ limit: 9 });
  expect(items.map(({ snapshotId }) => snapshotId)).toEqual(
    [next, ahead, first].map(({ snapshotId }) => snapshotId),
  );
});
