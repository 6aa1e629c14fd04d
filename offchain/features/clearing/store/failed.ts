import { failedForGood } from "#offchain/platform/chain/sender/transactionStore.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { patientTries, retryAfterMs } from "../rules.ts";

/** By how often a step has failed, when it may be tried again, ms after it failed last. */
const waits = Array.from({ length: 16 }, (_, failures) => retryAfterMs(failures));

/**
 * Lets what failed on the chain be tried again, the later the more often it has failed; also what a clock that was wrong
 * says will have failed, and a payout that counted as done until a reorganisation. @returns how many
 */
export async function reopenFailedClearing(sql: Sql, runId: bigint, now: number): Promise<number> {
  const failed = (tries: string) => sql`
    SELECT t.id FROM chain_transaction t
    WHERE ${failedForGood(sql)} AND abs(${now} - t.updated_at) >= (${waits}::bigint[])[least(${sql(tries)}, 15) + 1]`;
  const filled = sql`
    (SELECT coalesce(max(f.rows), 0) FROM clearing_fill f WHERE f.run_id = e.run_id AND f.number = e.number)`;
  const [calls, payouts] = await Promise.all([
    sql`UPDATE clearing_epoch e SET call_to = ${filled}, failures = failures + 1
        WHERE run_id = ${runId} AND sealed_at IS NULL AND NOT is_void AND call_to > ${filled}
          AND transaction_id IN (${failed("failures")})`,
    sql`UPDATE clearing_epoch SET paid_rows = payout_from, payout_to = payout_from, paid_at = NULL,
          payout_failures = payout_failures + 1
        WHERE run_id = ${runId} AND sealed_at IS NOT NULL AND payout_to > payout_from
          AND payout_transaction_id IN (${failed("payout_failures")})`,
  ]);
  return calls.count + payouts.count;
}

/** The steps that fail again and again, for health. */
export async function failingSteps(sql: Sql, runId: bigint): Promise<string[]> {
  const rows = await sql<{ step: string }[]>`
    SELECT CASE WHEN sealed_at IS NULL THEN 'fill epoch ' ELSE 'pay out epoch ' END || number AS step
    FROM clearing_epoch
    WHERE run_id = ${runId} AND NOT is_void AND (
      (sealed_at IS NULL AND failures >= ${patientTries})
      OR (sealed_at IS NOT NULL AND paid_at IS NULL AND payout_failures >= ${patientTries}))
    ORDER BY number`;
  return rows.map(({ step }) => step);
}
