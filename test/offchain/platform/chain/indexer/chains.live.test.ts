import type { Address } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { IndexerOptions } from "#offchain/platform/chain/indexer/options.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { indexing } from "../../../support/limits.ts";
import { devAccount, type LocalNode, startNode, until } from "../../../support/node.ts";
import { balanceHandler, balanceOf, createBalances, deployToken, mint } from "../../../support/token.ts";

const alice = devAccount(4).address;
const otherChainId = 31338;

interface Chain {
  readonly id: number;
  node: LocalNode;
  /** The same address on both chains: only the chain tells them apart. */
  token: Address;
}

let one: Chain;
let other: Chain;
let server: TestServer;
let database: TestDatabase;
const indexers: Indexer[] = [];

beforeAll(async () => {
  const [first, second, started] = await Promise.all([
    startNode(),
    startNode(undefined, otherChainId),
    startTestServer(),
  ]);
  server = started;
  one = { id: 31337, node: first, token: await deployToken(first) };
  other = { id: otherChainId, node: second, token: await deployToken(second) };
});
afterAll(async () => {
  await Promise.all([one.node.stop(), other.node.stop()]);
  await server.stop();
});

beforeEach(async () => {
  database = await server.create();
  await createBalances(database.sql);
});
afterEach(async () => {
  for (const indexer of indexers.splice(0)) await indexer.stop();
  await database.close();
});

function follow(chain: Chain, options: Partial<IndexerOptions> = {}): Indexer {
  const indexer = new Indexer({
    client: connectChain({ chainId: chain.id, rpcUrl: chain.node.url, pollIntervalMs: 50 }),
    sql: database.sql,
    clock: { now: () => Date.now() },
    handlers: [balanceHandler(chain.token)],
    ...options,
    limits: { ...indexing, finalityBlocks: 8, shrinkToleranceMs: 0, firstBlocks: 5, ...options.limits },
  });
  indexers.push(indexer);
  return indexer;
}

async function expectAsOnChain(indexer: Indexer, chain: Chain): Promise<void> {
  const call = { address: chain.token, abi: testUsdcAbi, functionName: "balanceOf", args: [alice] } as const;
  const balance = await chain.node.client.readContract(call);
  expect(await balanceOf(database.sql, indexer.status().runId, alice)).toBe(balance);
}

const ones = (count: number) => Array.from({ length: count }, (): [Address, bigint] => [alice, 1n]);

test("chains share a database, and each keeps its own events", async () => {
  expect(one.token).toBe(other.token);
  const [first, second] = [follow(one), follow(other)];
  await Promise.all([first.start(), second.start()]);
  await first.waitForBlock(await mint(one.node, one.token, ones(3)));
  await second.waitForBlock(await mint(other.node, other.token, ones(5)));
  expect(first.status().runId).not.toBe(second.status().runId);
  await expectAsOnChain(first, one);
  await expectAsOnChain(second, other);
});

test("a reorganisation of one is none of the other's business", async () => {
  const rollbacks: number[] = [];
  const [first, second] = [
    follow(one),
    follow(other, { observer: { rolledBack: ({ from }) => rollbacks.push(from) } }),
  ];
  await Promise.all([first.start(), second.start()]);
  await second.waitForBlock(await mint(other.node, other.token, ones(2)));
  const snapshot = await one.node.client.snapshot();
  await first.waitForBlock(await mint(one.node, one.token, ones(4)));
  await one.node.client.revert({ id: snapshot });
  await mint(one.node, one.token, ones(1));
  const balance = await one.node.client.readContract({
    address: one.token,
    abi: testUsdcAbi,
    functionName: "balanceOf",
    args: [alice],
  });
  await until(
    () => balanceOf(database.sql, first.status().runId, alice),
    (indexed) => indexed === balance,
  );
  expect(rollbacks).toEqual([]);
  await expectAsOnChain(second, other);
});

test("one is live while the other's past is still being read", async () => {
  const last = await mint(other.node, other.token, ones(30));
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handler = balanceHandler(other.token);
  // Half way through its past this chain waits until the other one has shown that it is live.
  const slow = follow(other, {
    limits: { finalityBlocks: 8, firstBlocks: 2, maxBlocks: 2 },
    handlers: [
      {
        ...handler,
        apply: async (tx, event) => {
          if (event.blockNumber === last - 15n) await held;
          await handler.apply(tx, event);
        },
      },
    ],
  });
  const quick = follow(one);
  await Promise.all([slow.start(), quick.start()]);
  await slow.waitForBlock(last - 17n);
  await quick.waitForBlock(await mint(one.node, one.token, ones(3)));
  expect(quick.status()).toMatchObject({ state: "live", lagBlocks: 0 });
  expect(slow.status()).toMatchObject({ state: "backfilling" });
  expect(slow.status().progress.share).toBeLessThan(1);
  await expectAsOnChain(quick, one);
  release();
  await slow.waitForBlock(last);
  await expectAsOnChain(slow, other);
});

test("a restart of one chain leaves the other's chain run alone", async () => {
  const [first, second] = [follow(one), follow(other)];
  await Promise.all([first.start(), second.start()]);
  const [dead, kept] = [first.status().runId, second.status().runId];
  await one.node.stop();
  one.node = await startNode(one.node.port);
  one.token = await deployToken(one.node);
  const next = await until(
    () => first.status().runId,
    (runId) => runId !== dead,
  );
  await first.waitForBlock(await mint(one.node, one.token, ones(2)));
  await second.waitForBlock(await mint(other.node, other.token, ones(1)));
  expect(await balanceOf(database.sql, next, alice)).toBe(2n);
  expect(second.status().runId).toBe(kept);
  await expectAsOnChain(second, other);
});
