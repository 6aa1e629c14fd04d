import { failedForGood } from "#offchain/platform/chain/sender/transactionStore.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { patientTries, retryAfterMs } from "../rules.ts";

/** By how often a step has failed, when it may be tried again, ms after it failed last. */
const waits = Array.from({ length: 16 }, (_, failures) => retryAfterMs(failures));

/**
 * Lets what failed on the chain be tried again, the later the more often it has failed; also what a clock that was wrong
 * says will have failed. @returns how many
 */
export async function reopenFailedClearing(sql: Sql, runId: bigint, now: number): Promise<number> {
  const failed = (tries: string) => sql`
    SELECT t.id FROM chain_transaction t
    WHERE ${failedForGood(sql)} AND abs(${now} - t.updated_at) >= (${waits}::bigint[])[least(${sql(tries)}, 15) + 1]`;
  const [posts, payouts, answers] = await Promise.all([
    sql`UPDATE clearing_root SET state = 'cut', transaction_id = NULL
        WHERE run_id = ${runId} AND state = 'submitted' AND transaction_id IN (${failed("attempts")})`,
    sql`UPDATE clearing_root SET payout_transaction_id = NULL, payout_failures = payout_failures + 1
        WHERE run_id = ${runId} AND state = 'posted' AND paid_at IS NULL
          AND payout_transaction_id IN (${failed("payout_failures")})`,
    sql`UPDATE clearing_challenge SET transaction_id = NULL
        WHERE run_id = ${runId} AND state = 'open' AND transaction_id IN (${failed("attempts")})`,
  ]);
  return posts.count + payouts.count + answers.count;
}

/** The steps that fail again and again, for health: of the newest root, and of open challenges. */
export async function failingSteps(sql: Sql, runId: bigint): Promise<string[]> {
  const rows = await sql<{ step: string }[]>`
    SELECT step FROM (
      SELECT CASE WHEN state IN ('cut', 'submitted') AND attempts > ${patientTries} THEN 'post root ' || number
                  WHEN state = 'posted' AND paid_at IS NULL AND payout_failures >= ${patientTries}
                  THEN 'pay out root ' || number END AS step
      FROM clearing_root WHERE run_id = ${runId} ORDER BY number DESC LIMIT 1
    ) newest WHERE step IS NOT NULL
    UNION ALL
    SELECT 'answer challenge ' || challenge_id FROM clearing_challenge
    WHERE run_id = ${runId} AND state = 'open' AND attempts > ${patientTries}`;
  return rows.map(({ step }) => step);
}
