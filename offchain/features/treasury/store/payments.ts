import { addressOf, bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

/** Under what a Treasury paid, or proposed to pay: once. */
export interface PaymentReference {
  readonly runId: bigint;
  readonly treasury: string;
  readonly spender: string;
  readonly reference: string;
}

/** A payment out of a spender's budget. */
export interface StoredPayment {
  readonly token: `0x${string}`;
  readonly to: `0x${string}`;
  readonly amount: bigint;
  readonly transaction: `0x${string}`;
}

export async function savePayment(tx: Tx, payment: PaymentReference & StoredPayment): Promise<void> {
  const { runId, treasury, spender, reference, token, to, amount, transaction } = payment;
  await tx`
    INSERT INTO treasury_payment (run_id, treasury, spender, reference, token, recipient, amount, transaction_hash)
    VALUES (${runId}, ${bytesOf(treasury)}, ${bytesOf(spender)}, ${bytesOf(reference)}, ${bytesOf(token)}, ${bytesOf(to)},
            ${amount.toString()}, ${bytesOf(transaction)})
    ON CONFLICT DO NOTHING`;
}

/** Takes `savePayment` back. */
export async function deletePayment(
  tx: Tx,
  payment: PaymentReference & Pick<StoredPayment, "transaction">,
): Promise<void> {
  await tx`
    DELETE FROM treasury_payment
    WHERE ${under(tx, payment)} AND transaction_hash = ${bytesOf(payment.transaction)}`;
}

/** A spender's call that owners allow, under what uses its reference up. */
export interface StoredCall extends PaymentReference {
  readonly transaction: string;
}

export async function saveCall(tx: Tx, call: StoredCall): Promise<void> {
  const { runId, treasury, spender, reference, transaction } = call;
  await tx`
    INSERT INTO treasury_call (run_id, treasury, spender, reference, transaction_hash)
    VALUES (${runId}, ${bytesOf(treasury)}, ${bytesOf(spender)}, ${bytesOf(reference)}, ${bytesOf(transaction)})
    ON CONFLICT DO NOTHING`;
}

/** Takes `saveCall` back. */
export async function deleteCall(tx: Tx, call: StoredCall): Promise<void> {
  await tx`
    DELETE FROM treasury_call WHERE ${under(tx, call)} AND transaction_hash = ${bytesOf(call.transaction)}`;
}

/** Whether the reference went to a call, so that it pays nothing any more. */
export async function wentToCall(sql: Sql, reference: PaymentReference): Promise<boolean> {
  const rows = await sql`SELECT FROM treasury_call WHERE ${under(sql, reference)}`;
  return rows.length > 0;
}

export async function findPayment(sql: Sql, reference: PaymentReference): Promise<StoredPayment | null> {
  const [row] = await sql<
    { token: Uint8Array; recipient: Uint8Array; amount: bigint; transaction_hash: Uint8Array }[]
  >`SELECT token, recipient, amount, transaction_hash FROM treasury_payment WHERE ${under(sql, reference)}`;
  if (!row) return null;
  return {
    token: addressOf(row.token),
    to: addressOf(row.recipient),
    amount: BigInt(row.amount),
    transaction: hexOf(row.transaction_hash),
  };
}

const under = (sql: Sql | Tx, { runId, treasury, spender, reference }: PaymentReference) => sql`
  run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND spender = ${bytesOf(spender)}
  AND reference = ${bytesOf(reference)}`;
