import { settings } from "#offchain/app/settings.ts";
import { indexerLimitsOf } from "#offchain/platform/chain/indexer/options.ts";
import { senderLimitsOf } from "#offchain/platform/chain/sender/limits.ts";
import type { Setting } from "#offchain/platform/settings.ts";

/** What a setting is when nobody sets it. */
const unset = <Value>({ schema, fallback }: Setting<Value>): Value => schema.parse(fallback);

const chain = {
  finalityDepthBlocks: unset(settings.chain.finalityDepthBlocks),
  logRangeMaxBlocks: unset(settings.chain.logRangeMaxBlocks),
};

/** Limits of an indexer and of a sender when nothing is set. */
export const indexing = { ...indexerLimitsOf(chain), believedGenesis: "any" } as const;
export const sending = senderLimitsOf(
  {
    queueMax: unset(settings.sender.queueMax),
    relayGasMax: unset(settings.sender.relayGasMax),
    inFlightMax: unset(settings.sender.inFlightMax),
    replaceAfterMs: unset(settings.sender.replaceAfterMs),
    feeMaxGwei: unset(settings.sender.feeMaxGwei),
    feeBumpPercent: unset(settings.sender.feeBumpPercent),
    balanceMinGwei: unset(settings.sender.balanceMinGwei),
  },
  chain,
);
