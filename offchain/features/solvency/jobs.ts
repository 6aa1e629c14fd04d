import type { Log } from "#offchain/platform/observe/log.ts";
import type { SolvencyMetrics } from "./metrics.ts";
import type { SolvencyReport } from "./service.ts";

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
