import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";

/** A withdrawal that a payer began: when it may finish, epoch ms, and how much of it is left, base units. */
export interface Withdrawal {
  at: number;
  left: bigint;
}

/** The payer began a withdrawal; null: none is pending any more. Taken back by {@link dropWithdrawal}. */
export async function addWithdrawal(
  tx: Tx,
  runId: bigint,
  channelId: string,
  withdrawal: Withdrawal | null,
): Promise<void> {
  const added = withdrawal && { at: withdrawal.at, left: withdrawal.left.toString() };
  await changeWithdrawals(tx, runId, channelId, tx`withdrawals || ${tx.json([added])}::jsonb`);
}

export async function dropWithdrawal(tx: Tx, runId: bigint, channelId: string): Promise<void> {
  await changeWithdrawals(tx, runId, channelId, tx`withdrawals - (-1)`);
}

/** A refund takes from the pending withdrawal, which is over when nothing is left; below zero takes that back. */
export async function lessenWithdrawal(
  tx: Tx,
  runId: bigint,
  channelId: string,
  amount: bigint,
): Promise<void> {
  await changeWithdrawals(
    tx,
    runId,
    channelId,
    tx`CASE WHEN jsonb_typeof(withdrawals->-1) = 'object'
       THEN jsonb_set(withdrawals, '{-1,left}', to_jsonb(((withdrawals->-1->>'left')::numeric - ${amount.toString()}::numeric)::text))
       ELSE withdrawals END`,
  );
}

async function changeWithdrawals(
  tx: Tx,
  runId: bigint,
  channelId: string,
  changed: ReturnType<Tx>,
): Promise<void> {
  await tx`
    UPDATE channel c SET withdrawals = n.withdrawals,
      withdrawable_at = CASE WHEN (n.withdrawals->-1->>'left')::numeric > 0 THEN (n.withdrawals->-1->>'at')::bigint END
    FROM (SELECT id, ${changed} AS withdrawals FROM channel
          WHERE run_id = ${runId} AND channel_id = ${bytesOf(channelId)}) n
    WHERE c.id = n.id`;
}
