import { setTimeout as pause } from "node:timers/promises";
import { createTestClient, http, publicActions } from "viem";
import { hardhat } from "#offchain/core/localChain.ts";
import { createRandom, type Random } from "#offchain/demo/random.ts";
import type { Machines } from "./machines.ts";

export const faultNames = [
  "service killed",
  "PostgreSQL killed",
  "Redis killed",
  "chain reorganised",
  "provider flaky",
  "provider down",
] as const;
export type FaultName = (typeof faultNames)[number];

/** Blocks that a reorganisation drops at the most: well within the finality depth of 64. */
const reorgBlocksMax = 30;
const reorgWindowMs = 2_500;
const calmMs = { least: 1_500, spread: 3_000 };

/** Nobody but us asks the chain directly: when it is slow, it is busy. */
const patienceMs = 60_000;

/** A chain that bends: time, blocks and history. */
export type BentChain = ReturnType<typeof bentChain>;

export const bentChain = (rpcUrl: string) =>
  createTestClient({
    mode: "hardhat",
    chain: hardhat,
    transport: http(rpcUrl, { timeout: patienceMs }),
    cacheTime: 0,
    pollingInterval: 50,
  }).extend(publicActions);

/** One fault after another until the signal: each kind comes once before any comes again, in an order that the seed decides. */
export async function makeTrouble(
  machines: Machines,
  seed: number,
  signal: AbortSignal,
  onFault: (name: FaultName) => void,
): Promise<void> {
  const random = createRandom(seed, 1);
  const chain = bentChain(machines.rpcUrl);
  while (!signal.aborted)
    for (const name of shuffled(faultNames, random)) {
      await pause(calmMs.least + random.below(calmMs.spread), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      if (name === "Redis killed" && !machines.redis) continue;
      onFault(name);
      await strike(name, machines, chain, random);
    }
}

async function strike(name: FaultName, machines: Machines, chain: BentChain, random: Random): Promise<void> {
  const shortMs = 200 + random.below(1_500);
  switch (name) {
    case "service killed":
      return machines.killService(random.below(2), random.below(1_000));
    case "PostgreSQL killed":
      return machines.killPostgres(shortMs);
    case "Redis killed":
      await machines.redis?.kill();
      await pause(shortMs);
      return machines.redis?.start();
    case "chain reorganised":
      return reorganise(chain, random);
    case "provider flaky":
    case "provider down":
      machines.rpc.setFailPercent(name === "provider down" ? 100 : 10 + random.below(50));
      await pause(1_000 + random.below(2_500));
      machines.rpc.setFailPercent(0);
  }
}

/** Forgets what was mined meanwhile; in half of the cases other blocks have come in its place when anybody looks. */
async function reorganise(chain: BentChain, random: Random): Promise<void> {
  const id = await chain.snapshot();
  const from = await chain.getBlockNumber();
  const wanted = from + BigInt(1 + random.below(reorgBlocksMax));
  const deadline = performance.now() + reorgWindowMs;
  while (performance.now() < deadline && (await chain.getBlockNumber()) < wanted) await pause(20);
  await chain.revert({ id });
  if (random.below(2) === 0) await chain.mine({ blocks: 1 + random.below(5) });
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random.below(left.length), 1));
}
