import { hasFailed } from "#offchain/platform/chain/sender/transactionStore.ts";
import type { Sql } from "#offchain/platform/database/database.ts";

/** Lets what failed on the chain be tried again. @returns how many */
export async function reopenFailedClearing(sql: Sql, runId: bigint): Promise<number> {
  const failed = sql`SELECT id FROM chain_transaction t WHERE ${hasFailed(sql)}`;
  const [posts, payouts, answers] = await Promise.all([
    sql`UPDATE clearing_root SET state = 'cut', transaction_id = NULL
        WHERE run_id = ${runId} AND state = 'submitted' AND transaction_id IN (${failed})`,
    sql`UPDATE clearing_root SET payout_transaction_id = NULL
        WHERE run_id = ${runId} AND state = 'posted' AND paid_at IS NULL AND payout_transaction_id IN (${failed})`,
    sql`UPDATE clearing_challenge SET transaction_id = NULL
        WHERE run_id = ${runId} AND state = 'open' AND transaction_id IN (${failed})`,
  ]);
  return posts.count + payouts.count + answers.count;
}
