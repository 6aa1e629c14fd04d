import type { EventPlace } from "#offchain/features/payments/service.ts";
import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

type Place = Pick<EventPlace, "blockHash" | "logIndex">;

interface Taken {
  number: number | null;
  taken: bigint;
}

/**
 * A payee was credited by its demand. As much of its row in an epoch that is not complete the contract has taken back, if
 * the row was there: one that was not yet is looked at again before it is sent.
 */
export async function applyDemand(
  tx: Tx,
  runId: bigint,
  { payee, amount }: { payee: string; amount: bigint },
  { blockHash, logIndex, blockNumber }: Place & { blockNumber: bigint },
): Promise<void> {
  // A debt that is noted, or an operator that is slashed, credits nobody.
  if (amount === 0n) return;
  const [row] = await tx<Taken[]>`
    SELECT e.number, least(r.amount, ${amount.toString()}::numeric)::numeric(38,0) AS taken
    FROM clearing_epoch e JOIN clearing_row r ON r.run_id = e.run_id AND r.number = e.number
    WHERE e.run_id = ${runId} AND e.sealed_at IS NULL AND NOT e.is_void AND r.payee = ${bytesOf(payee)}
      AND r.place < (SELECT max(f.rows) FROM clearing_fill f WHERE f.run_id = e.run_id AND f.number = e.number)`;
  const { number, taken } = row ?? { number: null, taken: 0n };
  await tx`
    INSERT INTO clearing_demand (run_id, block_hash, log_index, block_number, payee, amount, number, taken)
    VALUES (${runId}, ${bytesOf(blockHash)}, ${logIndex}, ${blockNumber}, ${bytesOf(payee)}, ${amount.toString()},
            ${number}, ${taken.toString()})`;
  await change(tx, runId, payee, { amount, number, taken });
}

/** Whether there is a demand that a reorganisation may take back. @param finalTo up to this block none is expected */
export async function isAnyDemandYoung(sql: Sql | Tx, runId: bigint, finalTo: bigint): Promise<boolean> {
  const [row] = await sql`
    SELECT 1 FROM clearing_demand WHERE run_id = ${runId} AND block_number > ${finalTo} LIMIT 1`;
  return row !== undefined;
}

export async function retractDemand(tx: Tx, runId: bigint, { blockHash, logIndex }: Place): Promise<void> {
  const [row] = await tx<(Taken & { payee: Uint8Array; amount: bigint })[]>`
    DELETE FROM clearing_demand
    WHERE run_id = ${runId} AND block_hash = ${bytesOf(blockHash)} AND log_index = ${logIndex}
    RETURNING payee, amount, number, taken`;
  if (!row) return;
  const payee = hexOf(row.payee);
  await change(tx, runId, payee, { amount: -row.amount, number: row.number, taken: -row.taken });
}

async function change(
  tx: Tx,
  runId: bigint,
  payee: string,
  { amount, number, taken }: Taken & { amount: bigint },
): Promise<void> {
  await tx`
    UPDATE clearing_payee SET assigned = assigned + ${(amount - taken).toString()}::numeric
    WHERE run_id = ${runId} AND payee = ${bytesOf(payee)}`;
  if (number === null) return;
  await tx`
    UPDATE clearing_row SET amount = amount - ${taken.toString()}::numeric
    WHERE run_id = ${runId} AND number = ${number} AND payee = ${bytesOf(payee)}`;
  await tx`
    UPDATE clearing_epoch SET total = total - ${taken.toString()}::numeric
    WHERE run_id = ${runId} AND number = ${number}`;
}
