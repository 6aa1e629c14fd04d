import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";

export type SolvencyMetrics = ReturnType<typeof solvencyMetrics>;

/** The newest snapshot, as figures. */
export const solvencyMetrics = ({ gauge }: MetricsBuilder) => ({
  obligations: gauge("bursar_solvency_obligations", "What the ledger owes, in whole units", ["unit"]),
  holdings: gauge("bursar_solvency_holdings", "What contracts hold for it, in whole units", ["unit"]),
  deficit: gauge(
    "bursar_solvency_deficit",
    "By how much holdings are short of obligations, in whole units; anything above 0 is an alert",
    ["unit"],
  ),
  block: gauge("bursar_solvency_block", "The block of the newest solvency snapshot"),
  takenSeconds: gauge(
    "bursar_solvency_taken_seconds",
    "When the newest solvency snapshot was taken, Unix seconds",
  ),
});
