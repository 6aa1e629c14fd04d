import { type Address, parseAbiItem } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { createRandom } from "#offchain/demo/random.ts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { feedPage, feedStart } from "#offchain/platform/chain/indexer/feedStore.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { startTestServer, type TestServer } from "../../../support/database.ts";
import { type FaultProxy, startFaultProxy } from "../../../support/faultProxy.ts";
import { indexing } from "../../../support/limits.ts";
import { devAccount, type LocalNode, startNode, until } from "../../../support/node.ts";
import { balanceHandler, balanceOf, createBalances, deployToken, mintData } from "../../../support/token.ts";

const accounts = [4, 5, 6].map((index) => devAccount(index).address);
const steps = 70;
const finalityBlocks = 12;

/** About one exchange in four goes wrong, and one call in twenty. */
const chances = {
  rateLimit: 0.05,
  unavailable: 0.03,
  dropRequest: 0.03,
  dropAnswer: 0.03,
  cutAnswer: 0.03,
  stall: 0.02,
  stallBody: 0.02,
  callRateLimit: 0.005,
  tooManyResults: 0.2,
  latestAhead: 0.1,
  latestBehind: 0.1,
  shuffledLogs: 0.5,
  laggingLogs: 0.3,
  missingBlock: 0.01,
  wrongBlock: 0.01,
  foreignLog: 0.05,
  missingReceipt: 0.3,
};

let node: LocalNode;
let server: TestServer;

beforeAll(async () => {
  [node, server] = await Promise.all([startNode(), startTestServer()]);
});
afterAll(async () => {
  await node.stop();
  await server.stop();
});

test.each([1, 2])("whatever the provider does, the events stored are the chain's (seed %i)", async (seed) => {
  const { sql, close } = await server.create();
  await createBalances(sql);
  const token = await deployToken(node);
  const proxy = await startFaultProxy({ target: node.url, seed, chances, stallMs: 150 });
  const indexer = new Indexer({
    client: connectChain({
      chainId: 31337,
      rpcUrl: proxy.url,
      webSocketUrl: null,
      pollIntervalMs: 20,
      requestTimeoutMs: 100,
    }),
    sql,
    clock: { now: () => Date.now() },
    handlers: [balanceHandler(token)],
    limits: {
      ...indexing,
      finalityBlocks,
      shrinkToleranceMs: 0,
      firstBlocks: 4,
      firstRetryMs: 5,
      maxRetryMs: 50,
    },
  });
  try {
    await indexer.start();
    await trouble({ seed, token, proxy, keepsUp: () => untilAtHead(sql) });
    await untilAtHead(sql);
    const { runId } = indexer.status();
    const events = await chainEvents(token);
    expect(await storedEvents(sql)).toEqual(events);
    expect(await replayedFeed(sql, runId)).toEqual(new Set(events));
    for (const account of accounts)
      expect(await balanceOf(sql, runId, account)).toBe(await onChain(token, account));
    // Of the faults that only wrong data would show; that each one strikes is the proxy's own test.
    const lies = ["laggingLogs", "shuffledLogs", "foreignLog", "latestAhead", "latestBehind", "wrongBlock"];
    expect(lies.reduce((sum, fault) => sum + (proxy.struck[fault] ?? 0), 0)).toBeGreaterThan(steps / 4);
  } finally {
    await indexer.stop();
    await proxy.stop();
    await close();
  }
});

interface Trouble {
  seed: number;
  token: Address;
  proxy: FaultProxy;
  /** Resolves once the indexer is where the chain is. */
  keepsUp(): Promise<void>;
}

/** Blocks with events and without, reorganisations as deep as finality and deeper, and a provider that is away. */
async function trouble({ seed, token, proxy, keepsUp }: Trouble): Promise<void> {
  const random = createRandom(seed, 1);
  let snapshots = [await node.client.snapshot()];
  for (let step = 0; step < steps; step += 1) {
    // Now and then what is about to be dropped is indexed first; else the indexer is hit half way.
    if (random.below(4) === 0) await keepsUp();
    const choice = random.below(10);
    if (choice < 6) await mintSome(token, 1 + random.below(3), random.below(accounts.length));
    else if (choice === 6) await node.client.mine({ blocks: 1 + random.below(6) });
    else if (choice === 7) snapshots.push(await node.client.snapshot());
    else if (choice === 8) {
      const at = random.below(snapshots.length);
      const id = snapshots[at];
      if (id !== undefined) await node.client.revert({ id });
      // Later ones are gone with what they kept, and one that was used cannot be used again.
      snapshots = [...snapshots.slice(0, at), await node.client.snapshot()];
    } else {
      proxy.setDown(true);
      await mintSome(token, 1, 0);
      proxy.setDown(false);
    }
  }
}

async function mintSome(token: Address, blocks: number, to: number): Promise<void> {
  for (let block = 0; block < blocks; block += 1) {
    const hash = await node.client.sendTransaction({
      to: token,
      data: mintData(accounts[to] ?? token, BigInt(block + 1)),
    });
    await node.client.waitForTransactionReceipt({ hash });
  }
}

/** Until the checkpoint is the chain's own head, as the chain itself tells it. */
async function untilAtHead(sql: Sql): Promise<void> {
  await until(
    async () => {
      const [row] = await sql<{ hash: string }[]>`
        SELECT '0x' || encode(indexed_hash, 'hex') AS hash FROM chain_run WHERE ended_at IS NULL`;
      const { hash } = await node.client.getBlock();
      return row?.hash === hash;
    },
    (isThere) => isThere,
    45_000,
  );
}

const transfer = parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)");

async function chainEvents(token: Address): Promise<string[]> {
  const logs = await node.client.getLogs({ address: token, event: transfer, fromBlock: 0n });
  return logs.map(({ blockHash, logIndex, transactionHash, data }) =>
    [blockHash, logIndex, transactionHash, data].join(),
  );
}

async function storedEvents(sql: Sql): Promise<string[]> {
  const rows = await sql<{ event: string }[]>`
    SELECT concat_ws(',', '0x' || encode(hash, 'hex'), log_index, '0x' || encode(transaction_hash, 'hex'),
      '0x' || encode(data, 'hex')) AS event
    FROM chain_event JOIN chain_block USING (run_id, sequence)
    WHERE retracted_as IS NULL ORDER BY number, log_index`;
  return rows.map(({ event }) => event);
}

/** What a reader of the feed is left with, who adds what is added and drops what is retracted. */
async function replayedFeed(sql: Sql, runId: bigint): Promise<Set<string>> {
  const kept = new Set<string>();
  let after = feedStart;
  for (;;) {
    const { entries, end } = await feedPage(sql, { runId, after, limit: 50, finalTo: 0 });
    for (const { change, event } of entries) {
      const key = [event.blockHash, event.logIndex, event.transactionHash, event.data].join();
      if (change === "added") {
        expect(kept).not.toContain(key);
        kept.add(key);
      } else expect(kept.delete(key)).toBe(true);
    }
    if (entries.length === 0) return kept;
    after = end;
  }
}

async function onChain(token: Address, account: Address): Promise<bigint> {
  return node.client.readContract({
    address: token,
    abi: testUsdcAbi,
    functionName: "balanceOf",
    args: [account],
  });
}
