import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Address, createTestClient, http, publicActions, walletActions } from "viem";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";
import { hardhat, localChain } from "#offchain/core/localChain.ts";
import { chainNode } from "../../../scripts/stack/chain.ts";
import { testPort } from "./port.ts";

/** Ends what hangs: a machine under load may take long to start a node. */
const startTimeoutMs = 120_000;

/** A real local chain, and every way to trouble it. */
export interface LocalNode {
  readonly url: string;
  readonly port: number;
  readonly client: ReturnType<typeof localClient>;
  /** Kills the node; its chain is gone. */
  stop(): Promise<void>;
}

/** Hardhat's public development accounts. */
export function devAccount(index: number): HDAccount {
  return mnemonicToAccount("test test test test test test test test test test test junk", {
    addressIndex: index,
  });
}

/** A client that reads, sends as account 0, and bends time and history. */
export function localClient(url: string, chainId = hardhat.id as number) {
  const transport = http(url, { batch: true });
  return createTestClient({
    mode: "hardhat",
    chain: localChain(chainId),
    account: devAccount(0),
    transport,
    cacheTime: 0,
    pollingInterval: 20,
  })
    .extend(publicActions)
    .extend(walletActions);
}

/** Starts a Hardhat node; with `port`, there, else on a free one. */
export async function startNode(port?: number, chainId = hardhat.id as number): Promise<LocalNode> {
  const chosen = port ?? (await testPort());
  const url = `http://127.0.0.1:${chosen}`;
  const child = spawn(process.execPath, chainNode(chosen, chainId), { stdio: "ignore" });
  const client = localClient(url, chainId);
  await untilReady(child, async () => {
    await client.getChainId();
  });
  return { url, port: chosen, client, stop: () => kill(child) };
}

async function untilReady(child: ChildProcess, ask: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the node ended with code ${child.exitCode}`);
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(50);
    }
  }
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Asks until the answer is as wanted; the last answer is the error's. */
export async function until<T>(
  ask: () => Promise<T> | T,
  wanted: (answer: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(
        `still ${JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? `${value}` : value))}`,
      );
    await delay(20);
  }
}

export type { Address };
