import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

/** The payment of a proposal that the contract queued. */
export interface QueuedPayment {
  readonly runId: bigint;
  readonly treasury: string;
  readonly proposalId: string;
  readonly transaction: string;
  /** Epoch ms. */
  readonly readyAt: number;
}

/** Told by the transaction that opened the proposal, after that. */
export async function saveQueued(tx: Tx, queued: QueuedPayment): Promise<void> {
  await tx`UPDATE proposal SET ready_at = ${queued.readyAt} WHERE ${openedBy(tx, queued)}`;
}

/** Takes `saveQueued` back. */
export async function deleteQueued(tx: Tx, queued: Omit<QueuedPayment, "readyAt">): Promise<void> {
  await tx`UPDATE proposal SET ready_at = NULL WHERE ${openedBy(tx, queued)}`;
}

/** That what a budget's spender had queued before waits for the owners. */
export interface DelayChange {
  readonly runId: bigint;
  readonly treasury: string;
  readonly spender: string;
  readonly token: string;
  readonly transaction: string;
}

export async function saveDelayChange(tx: Tx, change: DelayChange, at: number): Promise<void> {
  const { runId, treasury, spender, token, transaction } = change;
  await tx`
    INSERT INTO treasury_delay (run_id, treasury, spender, token, set_at, transaction_hash)
    VALUES (${runId}, ${bytesOf(treasury)}, ${bytesOf(spender)}, ${bytesOf(token)}, ${at}, ${bytesOf(transaction)})
    ON CONFLICT DO NOTHING`;
}

/** Takes `saveDelayChange` back. */
export async function deleteDelayChange(tx: Tx, change: DelayChange): Promise<void> {
  const { runId, treasury, spender, token, transaction } = change;
  await tx`
    DELETE FROM treasury_delay
    WHERE run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND spender = ${bytesOf(spender)}
      AND token = ${bytesOf(token)} AND transaction_hash = ${bytesOf(transaction)}`;
}

/** When the payment of a proposal `p` is made without the owners, if it waits under a delay still; null: it does not. */
export const readyAtOf = (sql: Sql | Tx) => sql`
  CASE WHEN NOT EXISTS (
    SELECT FROM treasury_delay d WHERE d.run_id = p.run_id AND d.treasury = p.treasury AND d.spender = p.proposer
    AND d.token = p.payment_token AND d.set_at > p.opened_at) THEN p.ready_at END`;

const openedBy = (tx: Tx, { runId, treasury, proposalId, transaction }: Omit<QueuedPayment, "readyAt">) => tx`
  run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND proposal_id = ${bytesOf(proposalId)}
  AND opened_transaction = ${bytesOf(transaction)}`;
