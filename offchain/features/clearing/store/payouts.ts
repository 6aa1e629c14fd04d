import type { EventPlace } from "#offchain/features/payments/service.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

type Place = Pick<EventPlace, "blockHash" | "logIndex">;

/** What a payout of Clearing took out of the books, base units: to be taken back if a reorganisation drops it. */
export async function savePayout(
  tx: Tx,
  runId: bigint,
  { blockHash, logIndex }: Place,
  booked: bigint,
): Promise<void> {
  await tx`
    INSERT INTO clearing_payout (run_id, block_hash, log_index, booked)
    VALUES (${runId}, ${bytesOf(blockHash)}, ${logIndex}, ${booked.toString()})`;
}

/** @returns what the payout had taken out of the books */
export async function removePayout(tx: Tx, runId: bigint, { blockHash, logIndex }: Place): Promise<bigint> {
  const [row] = await tx<{ booked: bigint }[]>`
    DELETE FROM clearing_payout
    WHERE run_id = ${runId} AND block_hash = ${bytesOf(blockHash)} AND log_index = ${logIndex}
    RETURNING booked`;
  return row?.booked ?? 0n;
}

/** A payout is on its way, of the rows from one place to before another. */
export async function markPayout(
  tx: Tx,
  runId: bigint,
  number: number,
  { from, to, transactionId }: { from: number; to: number; transactionId: bigint },
): Promise<void> {
  await tx`
    UPDATE clearing_epoch SET payout_transaction_id = ${transactionId}, payout_from = ${from}, payout_to = ${to},
      payout_attempts = payout_attempts + 1
    WHERE run_id = ${runId} AND number = ${number}`;
}

/** @returns of how many rows the payees were paid, once the newest payout is mined; null: it is on its way */
export async function endPayout(sql: Sql, runId: bigint, number: number): Promise<number | null> {
  const [row] = await sql<{ paid_rows: number }[]>`
    UPDATE clearing_epoch e SET paid_rows = payout_to, payout_failures = 0
    FROM chain_transaction t
    WHERE e.run_id = ${runId} AND e.number = ${number} AND t.id = e.payout_transaction_id AND t.state = 'mined' AND t.success
    RETURNING e.paid_rows`;
  return row?.paid_rows ?? null;
}

export async function setPaid(sql: Sql, runId: bigint, number: number, now: number): Promise<void> {
  await sql`UPDATE clearing_epoch SET paid_at = ${now} WHERE run_id = ${runId} AND number = ${number}`;
}
