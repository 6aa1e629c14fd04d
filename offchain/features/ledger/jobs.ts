import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { passMax } from "./rules/limits.ts";
import { runDueSchedules } from "./schedules.ts";
import type { Ledger } from "./service.ts";
import { expiredHolds, noteHolds } from "./store/holds.ts";
import { forgetKeys } from "./store/keys.ts";

interface LedgerJob {
  sql: Sql;
  clock: Clock;
}

/** Voids every hold past its time, which gives its money and budget back; how many. Safe to run anywhere, at any time. */
export async function expireHolds({ sql, clock, ledger }: LedgerJob & { ledger: Ledger }): Promise<number> {
  await noteHolds(sql);
  let expired = 0;
  for (;;) {
    const operations = await expiredHolds(sql, clock.now(), passMax);
    const outcomes = await ledger.submit(operations);
    expired += outcomes.filter((outcome) => outcome.ok && !outcome.replayed).length;
    if (operations.length < passMax) return expired;
  }
}

/** Runs every schedule that is due, and what was missed; how many runs. Safe to run anywhere, at any time. */
export async function runSchedules({ sql, clock }: LedgerJob): Promise<number> {
  let runs = 0;
  for (;;) {
    const done = await runDueSchedules(sql, clock.now(), passMax);
    runs += done;
    if (done === 0) return runs;
  }
}

/** Forgets idempotency keys that are older than they are remembered for; how many. */
export const forgetOldKeys = ({ sql, clock }: LedgerJob, keyRetentionMs: number): Promise<number> =>
  forgetKeys(sql, clock.now() - keyRetentionMs);
