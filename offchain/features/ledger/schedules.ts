import type { Sql } from "#offchain/platform/database/database.ts";
import { runOperation } from "./rules/schedule.ts";
import { lockDueRuns, saveRuns } from "./store/schedules.ts";
import { applyOperations } from "./within.ts";

/**
 * Runs what is due, each run once: the transfers and the schedules' next times are one transaction, and a run's key names
 * schedule and run. A run that the ledger refuses counts as a run and is recorded with its reason. How many runs.
 */
export async function runDueSchedules(sql: Sql, now: number, limit: number): Promise<number> {
  return (await sql.begin(async (tx) => {
    const due = await lockDueRuns(tx, now, limit);
    const outcomes = await applyOperations(tx, due.map(runOperation), now);
    const runs = due.map((run, at) => {
      const outcome = outcomes[at];
      const errorCode = outcome?.ok === false ? outcome.error.code : null;
      return { ...run, transferId: outcome?.ok ? outcome.transfer.id : null, errorCode };
    });
    await saveRuns(tx, runs, now);
    return due.length;
  })) as number;
}
