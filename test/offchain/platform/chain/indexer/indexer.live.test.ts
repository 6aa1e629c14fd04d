import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Address, getAddress } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import type { Handler } from "#offchain/platform/chain/event.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { IndexerOptions } from "#offchain/platform/chain/indexer/options.ts";
import { ended, spawnChild } from "../../../support/child.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { indexing } from "../../../support/limits.ts";
import { devAccount, type LocalNode, startNode, until } from "../../../support/node.ts";
import { testPort } from "../../../support/port.ts";
import {
  balanceHandler,
  balanceOf,
  createBalances,
  deployToken,
  mint,
  mintData,
} from "../../../support/token.ts";

const alice = devAccount(4).address;
const bob = devAccount(5).address;
const clock = { now: () => Date.now() };

let node: LocalNode;
let token: Address;
let database: TestDatabase;
let server: TestServer;
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

async function freshStore(): Promise<void> {
  database = await server.create();
  await createBalances(database.sql);
  token = await deployToken(node);
}

function follow(options: Partial<IndexerOptions> = {}): Indexer {
  const indexer = new Indexer({
    client: connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 }),
    sql: database.sql,
    clock,
    handlers: [balanceHandler(token)],
    ...options,
    limits: { ...indexing, finalityBlocks: 8, shrinkToleranceMs: 0, firstBlocks: 5, ...options.limits },
  });
  indexers.push(indexer);
  return indexer;
}

async function expectBalances(indexer: Indexer): Promise<void> {
  const { runId } = indexer.status();
  for (const account of [alice, bob]) {
    const onChain = await node.client.readContract({
      address: token,
      abi: testUsdcAbi,
      functionName: "balanceOf",
      args: [account],
    });
    expect(await balanceOf(database.sql, runId, account)).toBe(onChain);
  }
}

/** Events that stand, and those that a reorg took back. */
async function storedEvents(): Promise<{ live: number; retracted: number }> {
  const [row] = await database.sql<{ live: number; retracted: number }[]>`
    SELECT count(*) filter (WHERE retracted_as IS NULL)::int AS live,
           count(*) filter (WHERE retracted_as IS NOT NULL)::int AS retracted
    FROM chain_event JOIN chain_block USING (run_id, sequence)`;
  return row ?? { live: 0, retracted: 0 };
}

describe("following", () => {
  test("applies every event of the past once, with its checkpoint", async () => {
    await freshStore();
    const last = await mint(node, token, [
      [alice, 5n],
      [bob, 7n],
      [alice, 11n],
    ]);
    const indexer = follow();
    await indexer.start();
    await indexer.waitForBlock(last);
    await expectBalances(indexer);
    expect(await storedEvents()).toEqual({ live: 3, retracted: 0 });
    expect(indexer.status()).toMatchObject({ state: "live", lagBlocks: 0, indexedTo: last, head: last });
  });

  test("says how far it is while it catches up", async () => {
    await freshStore();
    const last = await mint(
      node,
      token,
      Array.from({ length: 12 }, () => [alice, 1n]),
    );
    const shares: number[] = [];
    const indexer = follow({
      limits: { finalityBlocks: 8, firstBlocks: 2, maxBlocks: 2, startBlock: Number(last) - 11 },
      observer: { committed: () => shares.push(indexer.status().progress.share) },
    });
    await indexer.start();
    await indexer.waitForBlock(last);
    expect(shares.map((share) => Math.round(share * 12))).toEqual([2, 4, 6, 8, 10, 12]);
    const { share, etaMs, eventsPerSecond } = indexer.status().progress;
    expect({ share, etaMs }).toEqual({ share: 1, etaMs: 0 });
    expect(eventsPerSecond).toBeGreaterThan(0);
  });

  test("applies an event as soon as its block arrives", async () => {
    await freshStore();
    const indexer = follow();
    await indexer.start();
    const hash = await node.client.sendTransaction({
      to: token,
      data: mintData(alice, 3n),
    });
    expect(await indexer.waitForTransaction(hash)).toMatchObject({ hash, success: true });
    expect(await balanceOf(database.sql, indexer.status().runId, alice)).toBe(3n);
  });

  test("goes on where it stopped", async () => {
    await freshStore();
    const first = follow();
    await first.start();
    await first.waitForBlock(await mint(node, token, [[alice, 1n]]));
    await first.stop();
    const last = await mint(node, token, [
      [alice, 2n],
      [bob, 4n],
    ]);
    const second = follow();
    await second.start();
    await second.waitForBlock(last);
    await expectBalances(second);
    expect(second.status().runId).toBe(first.status().runId);
  });

  test("leaves neither event nor effect behind when a handler fails, and tries again", async () => {
    await freshStore();
    let failures = 2;
    const failing: Handler = {
      ...balanceHandler(token),
      apply: async (tx, event) => {
        await balanceHandler(token).apply(tx, event);
        if (failures-- > 0) throw new Error("no");
      },
    };
    const indexer = follow({ handlers: [failing] });
    const last = await mint(node, token, [[alice, 9n]]);
    await indexer.start();
    await indexer.waitForBlock(last);
    await expectBalances(indexer);
    expect(await storedEvents()).toEqual({ live: 1, retracted: 0 });
  });

  test("killed again and again, applies every event exactly once", async () => {
    await freshStore();
    const last = await mint(
      node,
      token,
      Array.from({ length: 40 }, (_, index) => [index % 2 ? alice : bob, BigInt(index)]),
    );
    const task = { rpcUrl: node.url, connection: database.connection, token };
    for (let round = 0; round < 3; round++) {
      const child = spawnChild("indexer.child.ts", task);
      if (!child.stdout) throw new Error("the child has no output");
      await once(child.stdout, "data");
      // Somewhere in the middle of the next commit.
      await delay(12);
      child.kill("SIGKILL");
      expect(await ended(child)).toBe("SIGKILL");
    }
    const indexer = follow();
    await indexer.start();
    expect(indexer.status().indexedTo).toBeLessThan(last);
    await indexer.waitForBlock(last);
    await expectBalances(indexer);
    expect(await storedEvents()).toEqual({ live: 40, retracted: 0 });
  });

  test("shared by two instances applies every event once", async () => {
    await freshStore();
    const both = [follow({ limits: { finalityBlocks: 8, maxBlocks: 2, firstBlocks: 2 } }), follow()];
    for (const indexer of both) await indexer.start();
    const last = await mint(
      node,
      token,
      Array.from({ length: 20 }, () => [alice, 1n]),
    );
    for (const indexer of both) await indexer.waitForBlock(last);
    expect(await balanceOf(database.sql, both[0]?.status().runId ?? 0n, alice)).toBe(20n);
    expect(await storedEvents()).toEqual({ live: 20, retracted: 0 });
  });

  test("waits for a provider that is down, and says so", async () => {
    await freshStore();
    const port = await testPort();
    const client = connectChain({ chainId: 31337, rpcUrl: `http://127.0.0.1:${port}`, pollIntervalMs: 50 });
    const indexer = follow({ client });
    await indexer.start();
    expect(indexer.status()).toMatchObject({ state: "degraded", runId: 0n });
    const late = await startNode(port);
    await until(
      () => indexer.status().state,
      (state) => state === "live",
    );
    await late.stop();
  });

  test("refuses a provider of another chain", async () => {
    await freshStore();
    const indexer = follow({ client: connectChain({ chainId: 1, rpcUrl: node.url }) });
    await expect(indexer.start()).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
  });

  test("refuses to leave a hole when another contract is watched", async () => {
    await freshStore();
    const first = follow();
    await first.start();
    await first.stop();
    const second = follow({ handlers: [balanceHandler(getAddress(bob))] });
    await expect(second.start()).rejects.toMatchObject({ code: "CHAIN_REINDEX_NEEDED" });
  });
});

describe("a reorg", () => {
  test("takes back exactly the dropped events and applies the new ones", async () => {
    await freshStore();
    const indexer = follow();
    await indexer.start();
    await mint(node, token, [[alice, 100n]]);
    const snapshot = await node.client.snapshot();
    await indexer.waitForBlock(
      await mint(node, token, [
        [alice, 10n],
        [bob, 20n],
        [alice, 30n],
      ]),
    );
    await node.client.revert({ id: snapshot });
    const last = await mint(node, token, [
      [bob, 1n],
      [bob, 2n],
      [bob, 3n],
      [alice, 4n],
    ]);
    await until(
      async () => balanceOf(database.sql, indexer.status().runId, bob),
      (balance) => balance === 6n,
    );
    await indexer.waitForBlock(last);
    await expectBalances(indexer);
    expect(await storedEvents()).toEqual({ live: 5, retracted: 3 });
  });

  test("deeper than the finality is taken back exactly too", async () => {
    await freshStore();
    const indexer = follow();
    await indexer.start();
    await mint(node, token, [[alice, 100n]]);
    const snapshot = await node.client.snapshot();
    await mint(node, token, [[alice, 10n]]);
    await node.client.mine({ blocks: 40 });
    await indexer.waitForBlock(await mint(node, token, [[bob, 20n]]));
    await node.client.revert({ id: snapshot });
    await mint(node, token, [[bob, 5n]]);
    await until(
      async () => balanceOf(database.sql, indexer.status().runId, bob),
      (balance) => balance === 5n,
    );
    await expectBalances(indexer);
    expect(await storedEvents()).toEqual({ live: 2, retracted: 2 });
  });

  test("that only shortens the chain is noticed without a new block", async () => {
    await freshStore();
    const indexer = follow();
    await indexer.start();
    await mint(node, token, [[alice, 1n]]);
    const snapshot = await node.client.snapshot();
    await indexer.waitForBlock(await mint(node, token, [[alice, 2n]]));
    await node.client.revert({ id: snapshot });
    await until(
      async () => balanceOf(database.sql, indexer.status().runId, alice),
      (balance) => balance === 1n,
    );
    expect(await storedEvents()).toEqual({ live: 1, retracted: 1 });
  });

  test("while the service is down is noticed at the start", async () => {
    await freshStore();
    const first = follow();
    await first.start();
    const snapshot = await node.client.snapshot();
    await first.waitForBlock(await mint(node, token, [[alice, 8n]]));
    await first.stop();
    await node.client.revert({ id: snapshot });
    const last = await mint(node, token, [
      [bob, 16n],
      [bob, 32n],
    ]);
    const second = follow();
    await second.start();
    await second.waitForBlock(last);
    await until(
      () => storedEvents(),
      ({ live }) => live === 2,
    );
    await expectBalances(second);
  });
});

describe("a restarted chain with the same id", () => {
  test("is noticed also before anything was indexed", async () => {
    await freshStore();
    const indexer = follow({ limits: { ...indexing, startBlock: 1_000_000 } });
    await indexer.start();
    const dead = indexer.status().runId;
    await node.stop();
    node = await startNode(node.port);
    await until(
      () => indexer.status().runId,
      (runId) => runId > dead,
    );
  });

  test("is another chain run, and nothing of the dead chain is served", async () => {
    await freshStore();
    const runs: [bigint, bigint][] = [];
    const indexer = follow({
      onNewRun: [
        async (_, old, started) => {
          runs.push([old.id, started.id]);
        },
      ],
    });
    await indexer.start();
    await indexer.waitForBlock(await mint(node, token, [[alice, 50n]]));
    const dead = indexer.status().runId;
    await node.stop();
    node = await startNode(node.port);
    const next = await until(
      () => indexer.status().runId,
      (runId) => runId !== dead,
    );
    expect(runs).toEqual([[dead, next]]);
    const [row] = await database.sql`SELECT count(*)::int AS events FROM chain_event WHERE run_id = ${next}`;
    expect(row).toEqual({ events: 0 });
    expect(await balanceOf(database.sql, next, alice)).toBe(0n);
  });
});
