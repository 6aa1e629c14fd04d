import type { Address } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { IndexerOptions } from "#offchain/platform/chain/indexer/options.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { startFaultProxy } from "../../../support/faultProxy.ts";
import { indexing } from "../../../support/limits.ts";
import { devAccount, type LocalNode, startNode, until } from "../../../support/node.ts";
import { balanceHandler, balanceOf, createBalances, deployToken, mint } from "../../../support/token.ts";

const alice = devAccount(4).address;
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

describe("a provider that shows another chain under the same id", () => {
  test("ends nothing on its word: the run goes on when the known chain is back", async () => {
    await freshStore();
    await mint(node, token, [[alice, 3n]]);
    const other = await startNode();
    const proxy = await startFaultProxy({ target: node.url, seed: 1 });
    const ended: bigint[] = [];
    const indexer = follow({
      client: connectChain({ chainId: 31337, rpcUrl: proxy.url, pollIntervalMs: 50 }),
      limits: { ...indexing, believedGenesis: null, maxRetryMs: 200 },
      onNewRun: [async (_, old) => void ended.push(old.id)],
    });
    await indexer.start();
    await indexer.waitForBlock(await node.client.getBlockNumber());
    const { runId } = indexer.status();

    proxy.setTarget(other.url);
    const degraded = await until(
      () => indexer.status(),
      ({ problem }) => problem?.includes("another beginning") === true,
    );
    expect(degraded).toMatchObject({ state: "degraded", runId });
    // Also when the service is started meanwhile.
    const second = follow({
      client: connectChain({ chainId: 31337, rpcUrl: proxy.url, pollIntervalMs: 50 }),
      limits: { ...indexing, believedGenesis: null, maxRetryMs: 200 },
    });
    await second.start();
    expect(second.status()).toMatchObject({ state: "degraded" });

    proxy.setTarget(node.url);
    await mint(node, token, [[alice, 4n]]);
    for (const one of [indexer, second]) {
      await until(
        () => one.status(),
        ({ problem }) => problem === null,
      );
      await one.waitForBlock(await node.client.getBlockNumber());
      expect(one.status()).toMatchObject({ state: "live", runId });
    }
    expect(await balanceOf(database.sql, runId, alice)).toBe(7n);
    expect(ended).toEqual([]);
    await proxy.stop();
    await other.stop();
  });

  test("is believed when its beginning is the one that the operator accepts", async () => {
    await freshStore();
    const other = await startNode();
    const proxy = await startFaultProxy({ target: node.url, seed: 1 });
    const { hash } = await other.client.getBlock({ blockNumber: 0n });
    const indexer = follow({
      client: connectChain({ chainId: 31337, rpcUrl: proxy.url, pollIntervalMs: 50 }),
      limits: { ...indexing, believedGenesis: hash },
    });
    await indexer.start();
    const { runId } = indexer.status();
    proxy.setTarget(other.url);
    await until(
      () => indexer.status(),
      ({ runId: now, state }) => now > runId && state !== "degraded",
    );
    await proxy.stop();
    await other.stop();
  });
});
