import type { Log } from "#offchain/platform/observe/log.ts";
import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";
import type { SolvencyReport } from "./service.ts";

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

/** Writes the newest report into the metrics, and into the log when something is short. */
export function showSolvency(
  report: SolvencyReport,
  metrics: SolvencyMetrics,
  log: Pick<Log, "error">,
): void {
  metrics.block.set(Number(report.blockNumber));
  metrics.takenSeconds.set(report.takenAt / 1_000);
  for (const { unit, obligations, holdings, surplus, isSolvent } of report.items) {
    metrics.obligations.set({ unit }, Number(obligations.amount));
    metrics.holdings.set({ unit }, Number(holdings.amount));
    metrics.deficit.set({ unit }, isSolvent ? 0 : -Number(surplus.amount));
    if (!isSolvent)
      log.error(
        { unit, obligations: obligations.amount, holdings: holdings.amount, blockNumber: report.blockNumber },
        "holdings are short of what is owed",
      );
  }
}
