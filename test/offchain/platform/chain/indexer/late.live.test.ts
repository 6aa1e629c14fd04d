import { type Address, toEventSelector } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { on, ownedBy } from "#offchain/platform/chain/event.ts";
import { feedPage, feedStart } from "#offchain/platform/chain/indexer/feedStore.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { IndexerOptions } from "#offchain/platform/chain/indexer/options.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { devAccount, type LocalNode, startNode, until } from "../../../support/node.ts";
import { balanceHandler, balanceOf, createBalances, deployToken, mint } from "../../../support/token.ts";

const [alice, bob] = [devAccount(4).address, devAccount(5).address];

let node: LocalNode;
let server: TestServer;
let database: TestDatabase;
let old: Address;
let added: Address;
const indexers: Indexer[] = [];

beforeAll(async () => {
  [node, server] = await Promise.all([startNode(), startTestServer()]);
});
afterAll(async () => {
  await node.stop();
  await server.stop();
});
beforeEach(async () => {
  database = await server.create();
  await createBalances(database.sql);
  [old, added] = [await deployToken(node), await deployToken(node)];
});
afterEach(async () => {
  for (const indexer of indexers.splice(0)) await indexer.stop();
  await database.close();
});

async function follow(tokens: readonly Address[], options: Partial<IndexerOptions> = {}): Promise<Indexer> {
  const indexer = new Indexer({
    client: connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 }),
    sql: database.sql,
    clock: { now: () => Date.now() },
    handlers: tokens.map(balanceHandler),
    ...options,
    limits: { finalityBlocks: 4, shrinkToleranceMs: 0, firstBlocks: 3, maxBlocks: 3, ...options.limits },
  });
  indexers.push(indexer);
  await indexer.start();
  return indexer;
}

/** A chain run that has watched the old token alone, over a past in which both were used. */
async function withPast(): Promise<void> {
  const first = await follow([old]);
  await mint(node, added, [
    [alice, 100n],
    [bob, 200n],
  ]);
  await mint(node, old, [[bob, 7n]]);
  await first.waitForBlock(await mint(node, added, [[alice, 300n]]));
  await first.stop();
}

async function pending(): Promise<number> {
  const [row] = await database.sql<{ behind: number }[]>`
    SELECT count(indexed_to)::int AS behind FROM chain_watch`;
  return row?.behind ?? 0;
}

async function joined(): Promise<void> {
  await until(pending, (behind) => behind === 0);
}

async function expectBalances(indexer: Indexer): Promise<void> {
  const { runId } = indexer.status();
  for (const account of [alice, bob]) {
    const balances = await Promise.all(
      [old, added].map((address) =>
        node.client.readContract({ address, abi: testUsdcAbi, functionName: "balanceOf", args: [account] }),
      ),
    );
    expect(await balanceOf(database.sql, runId, account)).toBe(
      balances.reduce((sum, each) => sum + each, 0n),
    );
  }
}

test("a contract that is added later gets its whole past, in the same chain run, and nothing twice", async () => {
  await withPast();
  const indexer = await follow([old, added]);
  await joined();
  await expectBalances(indexer);
  await indexer.waitForBlock(await mint(node, added, [[alice, 1n]]));
  await expectBalances(indexer);
  const again = await follow([old, added]);
  await again.waitForBlock(await mint(node, old, [[alice, 1n]]));
  await expectBalances(again);
});

test("an instance that does not know the added contract yet moves the checkpoint over none of its events", async () => {
  await withPast();
  const unaware = await follow([old]);
  // A past without events: nothing but the watch itself tells the other instance that it joined.
  const empty = await deployToken(node);
  const aware = await follow([old, empty]);
  await joined();
  await aware.stop();
  await mint(node, empty, [[alice, 9n]]);
  const last = await mint(node, old, [[bob, 1n]]);
  await until(
    () => unaware.status().state,
    (state) => state === "degraded",
  );
  await unaware.watch([balanceHandler(empty)]);
  await unaware.waitForBlock(last);
  expect(await balanceOf(database.sql, unaware.status().runId, alice)).toBe(9n);
});

test("what was watched before stays live while the past of the added one is read", async () => {
  await withPast();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const steps: number[] = [];
  const indexer = await follow([old, added], {
    observer: { late: ({ to }) => steps.push(to) },
    // The reader of the past waits for the provider; nothing else does.
    client: slowed(held),
  });
  await indexer.waitForBlock(await mint(node, old, [[bob, 5n]]));
  expect(await balanceOf(database.sql, indexer.status().runId, bob)).toBe(12n);
  expect(await pending()).toBeGreaterThan(0);
  release();
  await joined();
  expect(steps.length).toBeGreaterThan(1);
  await expectBalances(indexer);
});

/** A client whose first look at the added token's logs waits. */
function slowed(held: Promise<void>) {
  const client = connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 });
  const isHeld = (params: readonly unknown[]) =>
    JSON.stringify(params).toLowerCase().includes(added.toLowerCase().slice(2));
  return {
    ...client,
    rpc: {
      ...client.rpc,
      call: async (method: string, params: readonly unknown[]) => {
        if (method === "eth_getLogs" && isHeld(params)) await held;
        return client.rpc.call(method, params);
      },
    },
  };
}

test("the feed tells of late events when they come, after what it told before", async () => {
  await withPast();
  const { runId } = (await follow([old])).status();
  const page = async (after = feedStart) =>
    (await feedPage(database.sql, { runId, after, limit: 100, finalTo: 0 })).entries;
  const before = await page();
  await indexers.pop()?.stop();
  await follow([old, added]);
  await joined();
  const after = await page(before.at(-1)?.cursor);
  expect(after.map(({ change, event }) => [change, event.address])).toEqual(
    Array.from({ length: 3 }, () => ["added", added.toLowerCase()]),
  );
});

test("a reorganisation takes back late events too", async () => {
  const snapshot = await node.client.snapshot();
  await withPast();
  const indexer = await follow([old, added]);
  await joined();
  await node.client.revert({ id: snapshot });
  const last = await mint(node, added, [[bob, 4n]]);
  await until(
    () => balanceOf(database.sql, indexer.status().runId, bob),
    (balance) => balance === 4n,
  );
  await indexer.waitForBlock(last);
  await expectBalances(indexer);
});

/** Another feature's handler of the same event. It notes what it has had, and what happens to it wrongly. */
function tally() {
  const source = { name: "TestUSDC", abi: testUsdcAbi, addresses: [old] };
  const had = new Set<string>();
  const wrong: string[] = [];
  const handler = on(source, "Transfer", {
    apply: async (_, { blockHash, logIndex }) => {
      const place = `${blockHash} ${logIndex}`;
      if (had.has(place)) wrong.push(`twice: ${place}`);
      had.add(place);
    },
    retract: async (_, { blockHash, logIndex }) => {
      const place = `${blockHash} ${logIndex}`;
      if (!had.delete(place)) wrong.push(`never had: ${place}`);
    },
  });
  return { handlers: ownedBy("tally", [handler]), had, wrong };
}

async function storedEvents(): Promise<string[]> {
  const rows = await database.sql<{ place: string }[]>`
    SELECT number || ' ' || log_index AS place FROM chain_block JOIN chain_event USING (run_id, sequence)
    WHERE retracted_as IS NULL ORDER BY number, log_index`;
  return rows.map(({ place }) => place);
}

test("a second handler of an event that is watched already gets its past; the event is stored once", async () => {
  const first = await follow([old]);
  await mint(node, old, [[alice, 1n]]);
  await first.waitForBlock(await mint(node, old, [[bob, 2n]]));
  await first.stop();
  const before = await storedEvents();
  const second = tally();
  const handlers = [balanceHandler(old), ...second.handlers];
  const indexer = await follow([], { handlers });
  await joined();
  expect(await storedEvents()).toEqual(before);
  expect(second.had.size).toBe(before.length);
  await indexer.waitForBlock(await mint(node, old, [[bob, 3n]]));
  expect(await storedEvents()).toHaveLength(before.length + 1);
  expect(second.had.size).toBe(before.length + 1);
  expect(second.wrong).toEqual([]);
  expect(await balanceOf(database.sql, indexer.status().runId, bob)).toBe(5n);
});

test("a reorganisation takes nothing back from a handler that has not had it yet", async () => {
  const first = await follow([old]);
  await first.waitForBlock(await mint(node, old, [[alice, 1n]]));
  const snapshot = await node.client.snapshot();
  await first.waitForBlock(await mint(node, old, [[bob, 2n]]));
  await first.stop();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const checkpoint = first.status().indexedTo;
  const second = tally();
  const handlers = [balanceHandler(old), ...second.handlers];
  const indexer = await follow([], { handlers, client: slowedBelow(held, checkpoint) });
  await node.client.revert({ id: snapshot });
  const last = await mint(node, old, [[bob, 4n]]);
  await until(
    () => balanceOf(database.sql, indexer.status().runId, bob),
    (balance) => balance === 4n,
  );
  expect(second.had.size).toBe(0);
  release();
  await joined();
  await indexer.waitForBlock(last);
  expect(second.wrong).toEqual([]);
  expect(second.had.size).toBe((await storedEvents()).length);
});

/** A client that shows logs from the past only later. */
function slowedBelow(held: Promise<void>, checkpoint: bigint) {
  const client = connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 });
  const isPast = ([asked]: readonly unknown[]) =>
    BigInt((asked as { fromBlock?: string }).fromBlock ?? checkpoint) < checkpoint - 1n;
  const call = async (method: string, params: readonly unknown[]) => {
    if (method === "eth_getLogs" && isPast(params)) await held;
    return client.rpc.call(method, params);
  };
  return { ...client, rpc: { ...client.rpc, call } };
}

test("watches that name no handler yet are put down as those that handle them", async () => {
  await withPast();
  await database.sql`UPDATE chain_watch SET handler = ''`;
  const indexer = await follow([old, added]);
  await joined();
  await expectBalances(indexer);
  const rows = await database.sql<{ handler: string }[]>`SELECT handler FROM chain_watch`;
  expect(rows.map(({ handler }) => handler)).toEqual(["TestUSDC", "TestUSDC"]);
});

test("an event that is not watched any more is refused, for it would leave a hole", async () => {
  await withPast();
  const source = { name: "TestUSDC", abi: testUsdcAbi, addresses: [old] };
  const nothing = () => Promise.resolve();
  const approvals = on(source, "Approval", { apply: nothing, retract: nothing });
  const transferTopic = toEventSelector("Transfer(address,address,uint256)");
  const transfers = `${old.slice(2)}${transferTopic.slice(2)}`;
  const withoutTransfers = () => follow([], { handlers: [approvals] });
  await expect(withoutTransfers()).rejects.toMatchObject({
    code: "CHAIN_REINDEX_NEEDED",
    facts: { handler: "TestUSDC", contract: old.toLowerCase(), event: transferTopic },
  });
  const both = await follow([], { handlers: [balanceHandler(old), approvals] });
  await joined();
  await both.stop();
  await expect(withoutTransfers()).rejects.toMatchObject({ code: "CHAIN_REINDEX_NEEDED" });
  // As the migration does that gives it up.
  await database.sql`DELETE FROM chain_watch WHERE handler = 'TestUSDC' AND key = decode(${transfers}, 'hex')`;
  const indexer = await withoutTransfers();
  await indexer.waitForBlock(await node.client.getBlockNumber());
});

/** A handler of the added token, of whose events none is older than the block. */
function addedFrom(fromBlock: number) {
  const handler = balanceHandler(added);
  return { ...handler, source: { ...handler.source, fromBlock } };
}

test("what cannot be older than a block is read from there on", async () => {
  await withPast();
  const from = await mint(node, added, [[alice, 5n]]);
  const indexer = await follow([old]);
  await indexer.waitForBlock(from);
  await indexer.watch([addedFrom(Number(from))]);
  expect(await pending()).toBe(0);
  const balance = () => balanceOf(database.sql, indexer.status().runId, alice);
  expect(await balance(), "what is older was not read").toBe(5n);
  await mint(node, added, [[alice, 6n]]);
  await until(balance, (reached) => reached === 11n);
});

test("a first block beyond the checkpoint goes with the checkpoint", async () => {
  await withPast();
  const indexer = await follow([old]);
  await indexer.watch([addedFrom(1_000_000)]);
  expect(await pending()).toBe(0);
  const balance = () => balanceOf(database.sql, indexer.status().runId, alice);
  expect(await balance()).toBe(0n);
  await mint(node, added, [[alice, 3n]]);
  await until(balance, (reached) => reached === 3n);
});
