import { type Address, getAddress, type Hex, toEventSelector } from "viem";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import {
  type FeedEntry,
  type FeedQuery,
  type FeedSlice,
  feedPage,
  feedStart,
} from "#offchain/platform/chain/indexer/feedStore.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { devAccount, type LocalNode, startNode, until } from "../../../support/node.ts";
import { balanceHandler, createBalances, deployToken, mint } from "../../../support/token.ts";

const alice = devAccount(4).address;
const finalityBlocks = 8;

let node: LocalNode;
let server: TestServer;
let database: TestDatabase;
let token: Address;
const indexers: Indexer[] = [];

beforeAll(async () => {
  [node, server] = await Promise.all([startNode(), startTestServer()]);
});
afterAll(async () => {
  await node.stop();
  await server.stop();
});
afterEach(async () => {
  for (const indexer of indexers.splice(0)) await indexer.stop();
  await database.close();
});

async function follow(): Promise<Indexer> {
  const indexer = new Indexer({
    client: connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 }),
    sql: database.sql,
    clock: { now: () => Date.now() },
    handlers: [balanceHandler(token)],
    limits: { finalityBlocks, shrinkToleranceMs: 0, firstBlocks: 2, maxBlocks: 2 },
  });
  indexers.push(indexer);
  await indexer.start();
  return indexer;
}

async function freshChain(): Promise<Indexer> {
  database = await server.create();
  await createBalances(database.sql);
  token = await deployToken(node);
  return follow();
}

const mints = (...amounts: bigint[]) =>
  mint(
    node,
    token,
    amounts.map((amount) => [alice, amount]),
  );

function slice(indexer: Indexer, query: Partial<FeedQuery> = {}): Promise<FeedSlice> {
  const { runId, finalTo } = indexer.status();
  const wanted = { runId, after: feedStart, limit: 100, finalTo: Number(finalTo), ...query };
  return feedPage(database.sql, wanted);
}

const read = async (indexer: Indexer, query: Partial<FeedQuery> = {}): Promise<FeedEntry[]> =>
  (await slice(indexer, query)).entries;

const short = ({ change, status, event }: FeedEntry) => `${change} ${status} ${BigInt(event.data)}`;

test("a reorg's dropped events come again as retracted, before the events that replace them", async () => {
  const indexer = await freshChain();
  await mints(1n);
  const snapshot = await node.client.snapshot();
  await indexer.waitForBlock(await mints(2n, 3n));
  const before = await read(indexer);
  expect(before.map(short)).toEqual(["added pending 1", "added pending 2", "added pending 3"]);

  await node.client.revert({ id: snapshot });
  await mints(4n, 5n, 6n);
  const after = before.at(-1)?.cursor ?? feedStart;
  const entries = await until(
    () => read(indexer, { after }),
    (found) => found.length === 5,
  );
  expect(entries.map(short)).toEqual([
    "retracted retracted 3",
    "retracted retracted 2",
    "added pending 4",
    "added pending 5",
    "added pending 6",
  ]);
});

test("an event is confirmed once it is deeper than any reorg", async () => {
  const indexer = await freshChain();
  await indexer.waitForBlock(await mints(1n));
  expect((await read(indexer)).map(short)).toEqual(["added pending 1"]);
  await node.client.mine({ blocks: finalityBlocks });
  await indexer.waitForBlock(await node.client.getBlockNumber());
  expect((await read(indexer)).map(short)).toEqual(["added confirmed 1"]);
});

test("read page by page while two instances commit, nothing is missing and nothing comes twice", async () => {
  const first = await freshChain();
  await follow();
  const amounts = Array.from({ length: 15 }, (_, index) => BigInt(index + 1));
  const minting = mints(...amounts);
  const seen: bigint[] = [];
  let after = feedStart;
  await until(
    async () => {
      for (const { cursor, event } of await read(first, { after, limit: 2 })) {
        after = cursor;
        seen.push(BigInt(event.data));
      }
      return seen.length;
    },
    (count) => count >= amounts.length,
  );
  await first.waitForBlock(await minting);
  expect(await read(first, { after })).toEqual([]);
  expect(seen).toEqual(amounts);
});

test("filters by contract and by event", async () => {
  const indexer = await freshChain();
  await indexer.waitForBlock(await mints(1n));
  const transfer: Hex = toEventSelector("Transfer(address,address,uint256)");
  const approval: Hex = toEventSelector("Approval(address,address,uint256)");
  expect(await read(indexer, { addresses: [getAddress(token)], topics: [transfer] })).toHaveLength(1);
  expect(await read(indexer, { topics: [approval] })).toEqual([]);
  expect(await read(indexer, { addresses: [alice] })).toEqual([]);
});

test("a filter that matches nothing is looked through once: its place moves to the end, and misses nothing after it", async () => {
  const indexer = await freshChain();
  await indexer.waitForBlock(await mints(1n, 2n));
  const approval: Hex = toEventSelector("Approval(address,address,uint256)");
  const nothing = await slice(indexer, { topics: [approval] });
  const everything = await slice(indexer);
  expect(nothing).toEqual({ entries: [], end: everything.end });
  expect(await slice(indexer, { after: nothing.end })).toEqual({ entries: [], end: nothing.end });
  await indexer.waitForBlock(await mints(3n));
  const later = await slice(indexer, { after: nothing.end });
  expect(later.entries.map(short)).toEqual(["added pending 3"]);
});

test("a full page goes on from its last entry, not from the end", async () => {
  const indexer = await freshChain();
  await indexer.waitForBlock(await mints(1n, 2n, 3n));
  const { entries, end } = await slice(indexer, { limit: 2 });
  expect(end).toEqual(entries[1]?.cursor);
  expect((await read(indexer, { after: end })).map(short)).toEqual(["added pending 3"]);
});
