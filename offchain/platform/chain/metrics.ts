import type { MetricsBuilder } from "../observe/metrics.ts";

export type ChainMetrics = ReturnType<typeof chainMetrics>;

/** What the service counts of each chain that it follows and sends to; `chain` is its id. */
export const chainMetrics = ({ counter, gauge }: MetricsBuilder) => ({
  headBlock: gauge("bursar_chain_head_block", "The chain's head", ["chain"]),
  indexedBlock: gauge("bursar_indexed_block", "The newest block that is indexed", ["chain"]),
  lagBlocks: gauge("bursar_indexer_lag_blocks", "Blocks between head and index", ["chain"]),
  indexedEvents: counter("bursar_indexed_events_total", "Events indexed, those taken back later included", [
    "chain",
  ]),
  progressRatio: gauge("bursar_indexer_progress_ratio", "Share of the chain that is indexed, 0 to 1", [
    "chain",
  ]),
  eventsPerSecond: gauge("bursar_indexer_events_per_second", "Events indexed per second, lately", ["chain"]),
  etaSeconds: gauge("bursar_indexer_eta_seconds", "Time until the head is reached; NaN while unknown", [
    "chain",
  ]),
  reorganisations: counter("bursar_reorganisations_total", "Chain reorganisations rolled back", ["chain"]),
  queuedTransactions: gauge(
    "bursar_sender_queue_transactions",
    "Transactions waiting or sent and not mined",
    ["chain"],
  ),
  transactions: counter("bursar_sender_transactions_total", "Transactions by outcome", ["chain", "outcome"]),
});
