import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { passesMax, passMax, schedulePassMax } from "./rules/limits.ts";
import { runDueSchedules } from "./schedules.ts";
import type { Ledger } from "./service.ts";
import { expiredHolds, noteHolds } from "./store/holds.ts";
import { forgetKeys } from "./store/keys.ts";

interface LedgerJob {
  sql: Sql;
  clock: Clock;
}

/** Voids holds past their time, which gives their money and budget back; how many. Safe to run anywhere, at any time. */
export async function expireHolds({ sql, clock, ledger }: LedgerJob & { ledger: Ledger }): Promise<number> {
  await noteHolds(sql);
  let expired = 0;
  for (let pass = 0; pass < passesMax; pass += 1) {
    const operations = await expiredHolds(sql, clock.now(), passMax);
    const outcomes = await ledger.submit(operations);
    expired += outcomes.filter((outcome) => outcome.ok && !outcome.replayed).length;
    if (operations.length < passMax) break;
  }
  return expired;
}

/**
 * Runs schedules that are due, in bounded passes: what is left waits for the next time, and between passes everybody
 * else's writes get their turn. How many runs. Safe to run anywhere, at any time.
 */
export async function runSchedules({ sql, clock }: LedgerJob): Promise<number> {
  let runs = 0;
  for (let pass = 0; pass < passesMax; pass += 1) {
    const done = await runDueSchedules(sql, clock.now(), schedulePassMax);
    runs += done;
    if (done < schedulePassMax) break;
  }
  return runs;
}

/** Forgets idempotency keys that are older than they are remembered for; how many. */
export const forgetOldKeys = ({ sql, clock }: LedgerJob, keyRetentionMs: number): Promise<number> =>
  forgetKeys(sql, clock.now() - keyRetentionMs, clock.now());
