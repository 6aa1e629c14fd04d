import { setTimeout as pause } from "node:timers/promises";
import { openChains } from "#offchain/app/chains.ts";
import type { Config } from "#offchain/app/config.ts";
import { features, type Services } from "#offchain/app/features.ts";
import { openFeatures } from "#offchain/app/openFeatures.ts";
import { openPlatform, type Platform } from "#offchain/app/platform.ts";
import { Shutdown } from "#offchain/app/shutdown.ts";
import type { OpenedChain } from "#offchain/platform/chain/chain.ts";
import type { Log } from "#offchain/platform/observe/log.ts";

/** What is at work after the chains were read. */
export interface Followed {
  readonly platform: Platform;
  readonly chains: readonly OpenedChain[];
  servicesOn(chainId: number): Services;
  /** By chain id: the run that is being made. */
  runOf(chainId: number): bigint;
  /** Resolves once every chain is read to the head that it has then, late watches included. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

const lookEveryMs = 50;

/**
 * Reads the configured chains from their first block to their heads, through the handlers of the features and nothing beside:
 * no job runs, and nothing is sent.
 */
export async function followChains(
  config: Config,
  log: Log,
  told: (indexedTo: bigint, head: bigint) => void,
): Promise<Followed> {
  const shutdown = new Shutdown();
  const clock = { now: () => Date.now() };
  const close = () => shutdown.run(log);
  try {
    const platform = await openPlatform(config, { clock, log }, shutdown, features);
    const chains = openChains(config, platform, features);
    const opened = await openFeatures(features, config, platform, chains);
    shutdown.add("features", () => opened.close());
    for (const chain of chains) {
      await chain.start(opened.handlers(chain.chainId), opened.listeners(chain.chainId));
      shutdown.add(`chain ${chain.chainId}`, () => chain.stop());
    }
    const followed: Followed = {
      platform,
      chains,
      servicesOn: (chainId) => opened.services.get(chainId) as unknown as Services,
      runOf: (chainId) => {
        const run = chains.find((chain) => chain.chainId === chainId)?.runId();
        if (!run)
          throw new Error(
            `chain ${chainId} is not followed: BURSAR_CHAIN_ID and BURSAR_OTHER_CHAINS say which are`,
          );
        return run;
      },
      async caughtUp() {
        for (const chain of chains) await readToHead(chain, told);
        while (await isLate(platform)) await pause(lookEveryMs);
      },
      close,
    };
    await followed.caughtUp();
    return followed;
  } catch (error) {
    await close();
    throw error;
  }
}

async function readToHead(
  chain: OpenedChain,
  told: (indexedTo: bigint, head: bigint) => void,
): Promise<void> {
  const head = await chain.client.reader.getBlockNumber();
  for (;;) {
    const { indexedTo, problem } = chain.view.status();
    told(indexedTo, head);
    if (indexedTo >= head) return;
    if (problem !== null) console.error(`the chain's provider: ${problem}`);
    await pause(lookEveryMs);
  }
}

/** Whether the past of something that is watched since the start is not read yet. */
async function isLate({ sql }: Platform): Promise<boolean> {
  const [late] = await sql`SELECT FROM chain_watch WHERE indexed_to IS NOT NULL LIMIT 1`;
  return late !== undefined;
}
