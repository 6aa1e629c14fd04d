import { BursarError } from "#offchain/core/error.ts";
import type { ChainStatus } from "./port.ts";

/** The chain run that a request belongs to. @throws BursarError CHAIN_UNAVAILABLE before the chain is met */
export function runNow({ runId, chainId }: Pick<ChainStatus, "runId" | "chainId">): bigint {
  if (runId === 0n)
    throw new BursarError("CHAIN_UNAVAILABLE", `chain ${chainId} has not been met yet`, {
      facts: { chainId },
    });
  return runId;
}
