import type { World } from "#offchain/app/world.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { Metrics } from "#offchain/platform/observe/metrics.ts";
import type { SolvencyReport } from "./service.ts";

/** Takes a snapshot and forgets trees that are past their time. Safe with several instances: each root continues the last. */
export async function takeSnapshots(
  { solvency, clock }: Pick<World, "solvency" | "clock">,
  proofRetentionMs: number,
): Promise<void> {
  await solvency.take();
  await solvency.forget(clock.now() - proofRetentionMs);
}

/** Writes the newest report into the metrics, and into the log when something is short. */
export function showSolvency(report: SolvencyReport, metrics: Metrics, log: Pick<Log, "error">): void {
  metrics.solvencyBlock.set(Number(report.blockNumber));
  metrics.solvencyTakenSeconds.set(report.takenAt / 1_000);
  for (const { unit, obligations, holdings, surplus, isSolvent } of report.items) {
    metrics.solvencyObligations.set({ unit }, Number(obligations.amount));
    metrics.solvencyHoldings.set({ unit }, Number(holdings.amount));
    metrics.solvencyDeficit.set({ unit }, isSolvent ? 0 : -Number(surplus.amount));
    if (!isSolvent)
      log.error(
        { unit, obligations: obligations.amount, holdings: holdings.amount, blockNumber: report.blockNumber },
        "holdings are short of what is owed",
      );
  }
}
