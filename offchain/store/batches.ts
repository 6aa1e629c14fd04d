import type { BatchView } from "#offchain/actions/micropayments/port.ts";
import { type BatchLimits, type CloseReason, closeReason } from "#offchain/domain/batch.ts";
import { formatAmount } from "#offchain/domain/unit.ts";
import { channelUnit } from "./channels.ts";
import type { Sql, Tx } from "./database.ts";

/** The open batch while payments are being put into it; saved with {@link saveBatches}. */
export interface FillingBatch {
  id: bigint;
  payments: number;
  /** Base units. */
  value: bigint;
  openedAt: number;
  closedBy: CloseReason | null;
}

export async function lockOpenBatch(tx: Tx, epochId: bigint): Promise<FillingBatch | null> {
  const [row] = await tx<{ id: bigint; payments: number; value: bigint; opened_at: bigint }[]>`
    SELECT id, payments, value, opened_at FROM batch WHERE epoch_id = ${epochId} AND state = 'open' FOR UPDATE`;
  return row
    ? {
        id: row.id,
        payments: row.payments,
        value: row.value,
        openedAt: Number(row.opened_at),
        closedBy: null,
      }
    : null;
}

export async function openBatch(tx: Tx, epochId: bigint, now: number): Promise<FillingBatch> {
  const [row] = await tx<{ id: bigint }[]>`
    INSERT INTO batch (epoch_id, state, opened_at) VALUES (${epochId}, 'open', ${now}) RETURNING id`;
  if (!row) throw new Error("a new batch got no id");
  return { id: row.id, payments: 0, value: 0n, openedAt: now, closedBy: null };
}

export async function saveBatch(tx: Tx, batch: FillingBatch, now: number): Promise<void> {
  await tx`
    UPDATE batch SET payments = ${batch.payments}, value = ${batch.value.toString()},
      state = ${batch.closedBy ? "closed" : "open"}, closed_by = ${batch.closedBy},
      closed_at = ${batch.closedBy ? now : null}
    WHERE id = ${batch.id}`;
}

/** Closes the open batch if it is due, or whatever it holds if `force`; its id, or null if nothing closed. */
export async function closeBatch(
  tx: Tx,
  epochId: bigint,
  limits: BatchLimits,
  now: number,
  force: boolean,
): Promise<bigint | null> {
  const batch = await lockOpenBatch(tx, epochId);
  if (!batch || batch.payments === 0) return null;
  batch.closedBy = closeReason(batch, limits, now) ?? (force ? "forced" : null);
  if (!batch.closedBy) return null;
  await saveBatch(tx, batch, now);
  return batch.id;
}

interface BatchRow {
  id: bigint;
  state: BatchView["state"];
  closed_by: CloseReason | null;
  payments: number;
  value: bigint;
  opened_at: bigint;
  closed_at: bigint | null;
  settled_at: bigint | null;
  channels: number;
  transaction_hash: string | null;
  gas_used: bigint | null;
}

const selectBatches = (sql: Sql) => sql`
  SELECT b.*, '0x' || encode(t.hash, 'hex') AS transaction_hash, t.gas_used,
         (SELECT count(DISTINCT p.channel)::int FROM payment p WHERE p.batch_id = b.id) AS channels
  FROM batch b LEFT JOIN chain_transaction t ON t.id = b.transaction_id`;

export async function batchById(sql: Sql, id: bigint): Promise<BatchView | null> {
  const [row] = await sql<BatchRow[]>`${selectBatches(sql)} WHERE b.id = ${id}`;
  return row ? viewOf(row) : null;
}

/** Newest first. */
export async function listBatches(sql: Sql, before: bigint | undefined, limit: number): Promise<BatchView[]> {
  const rows = await sql<BatchRow[]>`
    ${selectBatches(sql)} WHERE b.payments > 0 ${before === undefined ? sql`` : sql`AND b.id < ${before}`}
    ORDER BY b.id DESC LIMIT ${limit}`;
  return rows.map(viewOf);
}

function viewOf(row: BatchRow): BatchView {
  return {
    batchId: row.id.toString(),
    state: row.state,
    closedBy: row.closed_by,
    payments: row.payments,
    channels: row.channels,
    value: { amount: formatAmount(row.value, channelUnit), unit: channelUnit },
    openedAt: Number(row.opened_at),
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
    settledAt: row.settled_at === null ? null : Number(row.settled_at),
    transactionHash: row.transaction_hash,
    gasUsed: row.gas_used === null ? null : row.gas_used.toString(),
  };
}
