import type { Log } from "#offchain/platform/observe/log.ts";
import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";
import type { SolvencyReport } from "./service.ts";

export type SolvencyMetrics = ReturnType<typeof solvencyMetrics>;

/** The newest snapshot of each chain, as figures; `chain` is its id. */
export const solvencyMetrics = ({ gauge }: MetricsBuilder) => ({
  obligations: gauge("bursar_solvency_obligations", "What the ledger owes, in whole units", [
    "chain",
    "unit",
  ]),
  holdings: gauge("bursar_solvency_holdings", "What contracts hold for it, in whole units", [
    "chain",
    "unit",
  ]),
  deficit: gauge(
    "bursar_solvency_deficit",
    "By how much holdings are short of obligations, in whole units; anything above 0 is an alert",
    ["chain", "unit"],
  ),
  block: gauge("bursar_solvency_block", "The block of the newest solvency snapshot", ["chain"]),
  takenSeconds: gauge(
    "bursar_solvency_taken_seconds",
    "When the newest solvency snapshot was taken, Unix seconds",
    ["chain"],
  ),
});

/** Writes the newest report into the metrics, and into the log when something is short. */
export function showSolvency(
  report: SolvencyReport,
  metrics: SolvencyMetrics,
  log: Pick<Log, "error">,
): void {
  const chain = String(report.chainId);
  metrics.block.set({ chain }, Number(report.blockNumber));
  metrics.takenSeconds.set({ chain }, report.takenAt / 1_000);
  for (const { unit, obligations, holdings, surplus, isSolvent } of report.items) {
    metrics.obligations.set({ chain, unit }, Number(obligations.amount));
    metrics.holdings.set({ chain, unit }, Number(holdings.amount));
    metrics.deficit.set({ chain, unit }, isSolvent ? 0 : -Number(surplus.amount));
    if (!isSolvent)
      log.error(
        { unit, obligations: obligations.amount, holdings: holdings.amount, blockNumber: report.blockNumber },
        "holdings are short of what is owed",
      );
  }
}
