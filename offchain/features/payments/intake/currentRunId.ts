import { BursarError } from "#offchain/core/error.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";

/** The chain run that payments are booked in. @throws BursarError CHAIN_UNAVAILABLE before the chain is met */
export function currentRunId(view: Pick<ChainView, "status">): bigint {
  const { runId, chainId } = view.status();
  if (runId === 0n)
    throw new BursarError("CHAIN_UNAVAILABLE", `chain ${chainId} has not been met yet`, {
      facts: { chainId },
    });
  return runId;
}
