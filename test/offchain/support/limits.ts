import { chainSettings } from "#offchain/app/settings.ts";
import { indexerLimitsOf } from "#offchain/platform/chain/indexer/options.ts";
import { senderLimitsOf } from "#offchain/platform/chain/sender/limits.ts";
import type { Setting } from "#offchain/platform/settings.ts";

/** What a setting is when nobody sets it. */
const unset = <Value>({ schema, fallback }: Setting<Value>): Value => schema.parse(fallback);

const chain = {
  finalityDepthBlocks: unset(chainSettings.chain.finalityDepthBlocks),
  logRangeMaxBlocks: unset(chainSettings.chain.logRangeMaxBlocks),
  startBlock: unset(chainSettings.chain.startBlock),
};

/** Limits of an indexer and of a sender when nothing is set. */
export const indexing = { ...indexerLimitsOf(chain), believedGenesis: "any" } as const;
export const sending = senderLimitsOf(
  {
    queueMax: unset(chainSettings.sender.queueMax),
    relayGasMax: unset(chainSettings.sender.relayGasMax),
    inFlightMax: unset(chainSettings.sender.inFlightMax),
    replaceAfterMs: unset(chainSettings.sender.replaceAfterMs),
    feeMaxGwei: unset(chainSettings.sender.feeMaxGwei),
    feeBumpPercent: unset(chainSettings.sender.feeBumpPercent),
    balanceMinGwei: unset(chainSettings.sender.balanceMinGwei),
  },
  chain,
);
