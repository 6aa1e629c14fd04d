import { type Address, encodeFunctionData, type Hex, type LocalAccount } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { testUsdcAbi } from "#contracts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { SenderObserver } from "#offchain/platform/chain/sender/delivery.ts";
import type { SenderLimits } from "#offchain/platform/chain/sender/limits.ts";
import { loseUnmined, Sender } from "#offchain/platform/chain/sender/sender.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { indexing, sending } from "../../../support/limits.ts";
import { devAccount, type LocalNode, startNode } from "../../../support/node.ts";
import { balanceHandler, createBalances, deployToken, mintData } from "../../../support/token.ts";

export const admin = devAccount(0);
export const alice = devAccount(4).address;
export const clock = { now: () => Date.now() };

export let node: LocalNode;
let server: TestServer;
export let database: TestDatabase;
export let token: Address;
export let indexer: Indexer;
const senders: Sender[] = [];

/** Each test of the file gets a token, an indexer and a database of its own, on one chain and one server. */
export function eachWithSenders(): void {
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
    token = await deployToken(node);
    indexer = new Indexer({
      client: connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 }),
      sql: database.sql,
      clock,
      handlers: [balanceHandler(token)],
      onNewRun: [loseUnmined(clock)],
      limits: { ...indexing, shrinkToleranceMs: 0 },
    });
    await indexer.start();
  });
  afterEach(async () => {
    await node.client.setAutomine(true);
    for (const sender of senders.splice(0)) await sender.stop();
    await indexer.stop();
    await database.close();
  });
}

/** Another chain with the same id takes the place of the one that is there. */
export async function restartNode(): Promise<void> {
  await node.stop();
  node = await startNode(node.port);
}

export async function startSender(
  limits: Partial<SenderLimits> = {},
  account: LocalAccount = admin,
): Promise<Sender> {
  const sender = newSender(limits, account);
  await sender.start();
  return sender;
}

export function newSender(
  limits: Partial<SenderLimits> = {},
  account: LocalAccount = admin,
  observer: SenderObserver = {},
  rpcUrl = node.url,
): Sender {
  const sender = new Sender({
    client: connectChain({ chainId: 31337, rpcUrl, pollIntervalMs: 50 }),
    sql: database.sql,
    clock,
    account,
    observer,
    abis: { TestUSDC: testUsdcAbi },
    limits: { ...sending, pollIntervalMs: 50, ...limits },
  });
  senders.push(sender);
  return sender;
}

export const mintRequest = (key: string, amount: bigint) => ({
  key,
  to: token,
  data: mintData(alice, amount),
  purpose: "mint",
});

export const transferRequest = (key: string, amount: bigint) => ({
  key,
  to: token,
  data: encodeFunctionData({ abi: testUsdcAbi, functionName: "transfer", args: [alice, amount] }),
  purpose: "transfer",
});

export const minted = (): Promise<bigint> =>
  node.client.readContract({ address: token, abi: testUsdcAbi, functionName: "balanceOf", args: [alice] });

export const pendingHashes = async (): Promise<readonly Hex[]> =>
  (await node.client.getBlock({ blockTag: "pending" })).transactions;
