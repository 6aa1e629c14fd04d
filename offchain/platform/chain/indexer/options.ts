import type { Hash } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import type { Sql, Tx } from "../../database/database.ts";
import type { ChainClient } from "../client/client.ts";
import type { Handler } from "../event.ts";
import type { ChainRun } from "./checkpoint.ts";
import type { RangeLimits } from "./ranges.ts";

/** Told of every step, for logs and metrics; must not throw. */
export interface IndexerObserver {
  committed?(step: {
    runId: bigint;
    from: number;
    to: number;
    head: number;
    events: number;
    tookMs: number;
  }): void;
  /** Events that were added to the watched ones are read up to a block. */
  late?(step: { runId: bigint; to: number; head: number; events: number }): void;
  rolledBack?(step: { runId: bigint; from: number; to: number; blocks: number; events: number }): void;
  runStarted?(step: { old: bigint | null; new: bigint; genesisHash: Hash }): void;
  /** The checkpoint is at the head that the provider showed. */
  caughtUp?(): void;
  failed?(error: unknown): void;
}

/** Told inside the transaction that ends one life of the chain and starts the next. */
export type RunListener = (tx: Tx, oldRun: ChainRun, newRun: ChainRun) => Promise<void>;

export interface IndexerOptions {
  readonly client: ChainClient;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly handlers: readonly Handler[];
  readonly onNewRun?: readonly RunListener[];
  readonly limits: SetIndexerLimits & Partial<IndexerLimits>;
  readonly observer?: IndexerObserver;
}

/** What the settings decide of an indexer: each with variable, default and range in `app/settings.ts`. */
export interface IndexerSettings {
  readonly finalityDepthBlocks: number;
  readonly logRangeMaxBlocks: number;
  readonly startBlock: number;
}

/** The settings as an indexer calls them. */
export interface SetIndexerLimits {
  /** Blocks below the head in which a reorg is expected: journaled in full. */
  readonly finalityBlocks: number;
  readonly maxBlocks: number;
  /** The first block worth reading: where the contracts were deployed. Of a chain run that has begun it stays as it was. */
  readonly startBlock?: number;
}

export interface IndexerLimits extends RangeLimits, Required<SetIndexerLimits> {
  /** Ranges fetched ahead of the one that is being stored. */
  readonly prefetchRanges: number;
  /** How long a head below the checkpoint is taken for a lagging provider before it is taken for a reorg. */
  readonly shrinkToleranceMs: number;
  /**
   * Another beginning than the known one that is believed: any, a certain one, or none. What is on its way is lost with a
   * chain run, so outside development a provider's word is not enough to end one.
   */
  readonly believedGenesis: "any" | Hash | null;
  /** Journal blocks compared per step while the fork point is looked for. */
  readonly journalPage: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  /** Default patience of `waitForBlock` and `waitForTransaction`. */
  readonly waitTimeoutMs: number;
}

/** Where nothing else is said. */
export const fixedIndexerLimits: Omit<IndexerLimits, "finalityBlocks" | "maxBlocks"> = {
  startBlock: 0,
  targetLogs: 10_000,
  firstBlocks: 200,
  prefetchRanges: 3,
  shrinkToleranceMs: 15_000,
  believedGenesis: null,
  journalPage: 64,
  firstRetryMs: 100,
  maxRetryMs: 5_000,
  waitTimeoutMs: 30_000,
};

export const indexerLimitsOf = (settings: IndexerSettings): SetIndexerLimits => ({
  finalityBlocks: settings.finalityDepthBlocks,
  maxBlocks: settings.logRangeMaxBlocks,
  startBlock: settings.startBlock,
});
