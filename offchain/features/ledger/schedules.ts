import type { Sql } from "#offchain/platform/database/database.ts";
import { runOperation } from "./rules/schedule.ts";
import { lockDueRuns, saveRun } from "./store/schedules.ts";
import { applyOperations } from "./within.ts";

/**
 * Runs what is due, each run once: the transfer and the schedule's next time are one transaction, and the run's key
 * names schedule and run. A run that the ledger refuses counts as a run and is recorded with its reason.
 * What was missed while nobody ran it is made up for, one run per call. How many runs.
 */
export async function runDueSchedules(sql: Sql, now: number, limit: number): Promise<number> {
  return (await sql.begin(async (tx) => {
    const due = await lockDueRuns(tx, now, limit);
    const outcomes = await applyOperations(tx, due.map(runOperation), now);
    for (const [at, run] of due.entries()) {
      const outcome = outcomes[at];
      await saveRun(
        tx,
        run,
        {
          transferId: outcome?.ok ? outcome.transfer.id : null,
          errorCode: outcome?.ok === false ? outcome.error.code : null,
        },
        now,
      );
    }
    return due.length;
  })) as number;
}
