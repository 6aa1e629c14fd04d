import { attemptsOf } from "#offchain/platform/chain/sender/transactionStore.ts";
import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { SettleAnswer } from "../rules/answer.ts";
import type { Settlement } from "../rules/settlement.ts";

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

/** A settlement's record: the run of the chain, and what may happen once in it. */
export interface RecordKey {
  readonly runId: bigint;
  readonly key: `0x${string}`;
}

export async function findSettlement(sql: Sql | Tx, { runId, key }: RecordKey): Promise<Settlement | null> {
  const [row] = await sql<SettlementRow[]>`
    SELECT content, attempt, transaction_id, outcome FROM x402_settlement
    WHERE run_id = ${runId} AND key = ${bytesOf(key)}`;
  return row ? toSettlement(row) : null;
}

/** The settlement under a key. Callers with one key go one after the other, also before there is a row to lock. */
export async function lockSettlement(tx: Tx, at: RecordKey): Promise<Settlement | null> {
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`x402:${at.runId}:${at.key}`}, 0))`;
  return findSettlement(tx, at);
}

/** A settlement whose transaction is stored; one that failed is begun anew. */
export async function saveSettlement(
  tx: Tx,
  { runId, key }: RecordKey,
  { content, attempt, transactionId }: Settlement,
  now: number,
): Promise<void> {
  await tx`
    INSERT INTO x402_settlement (run_id, key, content, attempt, transaction_id, created_at, updated_at)
    VALUES (${runId}, ${bytesOf(key)}, ${bytesOf(content)}, ${attempt}, ${transactionId}, ${now}, ${now})
    ON CONFLICT (run_id, key) DO UPDATE
    SET content = excluded.content, attempt = excluded.attempt, transaction_id = excluded.transaction_id,
        outcome = NULL, updated_at = excluded.updated_at`;
}

/** Which try of which payment. */
interface Attempt extends RecordKey {
  readonly attempt: number;
}

/** Stores the answer, unless the attempt has one. */
export const endSettlement = (sql: Sql, at: Attempt, outcome: SettleAnswer, now: number): Promise<void> =>
  setOutcome(sql, at, { outcome, now, where: sql`outcome IS NULL` });

/** Puts a payment that arrived after all in the place of its failure. */
export const amendFailure = (sql: Sql, at: Attempt, outcome: SettleAnswer, now: number): Promise<void> =>
  setOutcome(sql, at, { outcome, now, where: sql`outcome ->> 'success' = 'false'` });

async function setOutcome(
  sql: Sql,
  { runId, key, attempt }: Attempt,
  { outcome, now, where }: { outcome: SettleAnswer; now: number; where: ReturnType<Sql> },
): Promise<void> {
  await sql`
    UPDATE x402_settlement SET outcome = ${sql.json(outcome as never)}, updated_at = ${now}
    WHERE run_id = ${runId} AND key = ${bytesOf(key)} AND attempt = ${attempt} AND ${where}`;
}

/** Under which hash the transaction was signed last; null while it waits. */
export async function newestHash(sql: Sql, transactionId: bigint): Promise<`0x${string}` | null> {
  const [newest] = await attemptsOf(sql, transactionId);
  return newest?.hash ?? null;
}
