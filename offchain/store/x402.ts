import type { TransactionId } from "#offchain/actions/chain/port.ts";
import type { SettleAnswer, Settlement } from "#offchain/actions/x402/port.ts";
import { bytesOf, hexOf } from "./bytes.ts";
import type { Sql, Tx } from "./database.ts";

interface SettlementRow {
  content: Uint8Array;
  attempt: number;
  transaction_id: bigint;
  outcome: SettleAnswer | null;
}

const toSettlement = (row: SettlementRow): Settlement => ({
  content: hexOf(row.content),
  attempt: row.attempt,
  transactionId: row.transaction_id,
  outcome: row.outcome,
});

export async function findSettlement(
  sql: Sql | Tx,
  epochId: bigint,
  key: `0x${string}`,
): Promise<Settlement | null> {
  const [row] = await sql<SettlementRow[]>`
    SELECT content, attempt, transaction_id, outcome FROM x402_settlement
    WHERE epoch_id = ${epochId} AND key = ${bytesOf(key)}`;
  return row ? toSettlement(row) : null;
}

/**
 * Begins a settlement, or begins a failed one anew: `enqueue` stores its transaction in the same database transaction.
 * @returns what stands now; another payment's, if that was first with the key
 */
export function beginSettlement(
  sql: Sql,
  settlement: { epochId: bigint; key: `0x${string}`; content: `0x${string}` },
  now: number,
  enqueue: (tx: Tx, attempt: number) => Promise<TransactionId>,
): Promise<Settlement> {
  const { epochId, key, content } = settlement;
  return sql.begin(async (tx) => {
    // Callers with one key go one after the other, also before there is a row to lock.
    await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`x402:${epochId}:${key}`}, 0))`;
    const known = await findSettlement(tx, epochId, key);
    if (known && known.outcome?.success !== false) return known;
    const attempt = (known?.attempt ?? 0) + 1;
    const transactionId = await enqueue(tx, attempt);
    await tx`
      INSERT INTO x402_settlement (epoch_id, key, content, attempt, transaction_id, created_at, updated_at)
      VALUES (${epochId}, ${bytesOf(key)}, ${bytesOf(content)}, ${attempt}, ${transactionId}, ${now}, ${now})
      ON CONFLICT (epoch_id, key) DO UPDATE
      SET content = excluded.content, attempt = excluded.attempt, transaction_id = excluded.transaction_id,
          outcome = NULL, updated_at = excluded.updated_at`;
    return { content, attempt, transactionId, outcome: null };
  }) as Promise<Settlement>;
}

/** Stores the answer, unless the attempt has one. */
export async function endSettlement(
  sql: Sql,
  settlement: { epochId: bigint; key: `0x${string}`; attempt: number },
  outcome: SettleAnswer,
  now: number,
): Promise<void> {
  const { epochId, key, attempt } = settlement;
  await sql`
    UPDATE x402_settlement SET outcome = ${sql.json(outcome as never)}, updated_at = ${now}
    WHERE epoch_id = ${epochId} AND key = ${bytesOf(key)} AND attempt = ${attempt} AND outcome IS NULL`;
}
