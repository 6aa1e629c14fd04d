import type { RangeLimits } from "./indexer/ranges.ts";

export interface IndexerLimits extends RangeLimits {
  /** Blocks below the head in which a reorg is expected: journaled in full. */
  readonly finalityBlocks: number;
  /** Ranges fetched ahead of the one that is being stored. */
  readonly prefetchRanges: number;
  /** How long a head below the checkpoint is taken for a lagging provider before it is taken for a reorg. */
  readonly shrinkToleranceMs: number;
  /** Journal blocks compared per step while the fork point is looked for. */
  readonly journalPage: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  /** Default patience of `waitForBlock` and `waitForTransaction`. */
  readonly waitTimeoutMs: number;
}

export const indexerLimits: IndexerLimits = {
  targetLogs: 10_000,
  firstBlocks: 200,
  maxBlocks: 10_000,
  finalityBlocks: 64,
  prefetchRanges: 3,
  shrinkToleranceMs: 15_000,
  journalPage: 64,
  firstRetryMs: 100,
  maxRetryMs: 5_000,
  waitTimeoutMs: 30_000,
};

export interface SenderLimits {
  /** Transactions that wait for a block at once. */
  readonly maxInFlight: number;
  /** Open transactions looked at in one pass. */
  readonly maxOpen: number;
  /** How long a broadcast transaction may stay out of a block before its fee is raised. */
  readonly stuckAfterMs: number;
  /** How long the provider may not know a broadcast transaction before it is broadcast again. */
  readonly rebroadcastAfterMs: number;
  /** Never pay more than this, wei per gas. */
  readonly maxFeePerGas: bigint;
  /** Gas limit over the estimate. */
  readonly gasLimitBps: bigint;
  /** Raise of both fees for a replacement; nodes ask for at least 1,000. */
  readonly bumpBps: bigint;
  /** Blocks after which a mined transaction is final. */
  readonly finalityBlocks: bigint;
  readonly pollIntervalMs: number;
  /** Default patience of `wait`. */
  readonly waitTimeoutMs: number;
}

export const senderLimits: SenderLimits = {
  maxInFlight: 16,
  maxOpen: 500,
  stuckAfterMs: 30_000,
  rebroadcastAfterMs: 5_000,
  maxFeePerGas: 500_000_000_000n,
  gasLimitBps: 12_500n,
  bumpBps: 1_250n,
  finalityBlocks: 64n,
  pollIntervalMs: 1_000,
  waitTimeoutMs: 60_000,
};
