import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import { runsOf } from "#offchain/platform/chain/runStore.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { CloseReason, PendingBatch } from "../rules/batch.ts";
import type { FillingBatch } from "../rules/group.ts";
import type { BatchView } from "../service.ts";
import { refusalsOf } from "./refusals.ts";

/** At most one of each unit; locked in the order of their rows so that two transactions never wait for each other. */
export async function lockOpenBatches(tx: Tx, runId: bigint): Promise<FillingBatch[]> {
  const rows = await tx<{ id: bigint; unit: UnitCode; payments: number; value: bigint; opened_at: bigint }[]>`
    SELECT id, unit, payments, value, opened_at FROM batch
    WHERE run_id = ${runId} AND state = 'open' ORDER BY id FOR UPDATE`;
  return rows.map(({ opened_at, ...row }) => ({ ...row, openedAt: Number(opened_at), closedBy: null }));
}

/** Stores a batch as it was filled; a new one is given its id. */
export async function saveBatch(tx: Tx, runId: bigint, batch: FillingBatch, now: number): Promise<void> {
  const { id, unit, payments, value, openedAt, closedBy } = batch;
  const [state, closedAt] = closedBy ? ["closed", now] : ["open", null];
  if (id !== null) {
    await tx`
      UPDATE batch SET payments = ${payments}, value = ${value.toString()}, state = ${state}, closed_by = ${closedBy},
        closed_at = ${closedAt}
      WHERE id = ${id}`;
    return;
  }
  const [row] = await tx<{ id: bigint }[]>`
    INSERT INTO batch (run_id, unit, state, payments, value, opened_at, closed_by, closed_at)
    VALUES (${runId}, ${unit}, ${state}, ${payments}, ${value.toString()}, ${openedAt}, ${closedBy}, ${closedAt}) RETURNING id`;
  if (!row) throw new Error("a new batch got no id");
  batch.id = row.id;
}

/** One decision about a batch, with what it was decided on, as it is stored and shown. */
export type BatchDecision = BatchView["decisions"][number];

/** A batch that is open or closed, with what its settlement is decided on. */
export interface PendingRow extends PendingBatch {
  id: bigint;
  unit: UnitCode;
  state: "open" | "closed";
  /** How many settlement transactions were handed to the sender. */
  attempts: number;
  /** How many of them failed since the last one that claimed something. */
  failures: number;
  lastDecision: BatchDecision | null;
}

/** What waits for its settlement, oldest first. */
export async function pendingBatches(sql: Sql, runId: bigint): Promise<PendingRow[]> {
  const rows = await sql<
    {
      id: bigint;
      unit: UnitCode;
      state: "open" | "closed";
      payments: number;
      value: bigint;
      opened_at: bigint;
      forced: boolean;
      attempts: number;
      failures: number;
      last_decision: BatchDecision | null;
      claim_by: bigint | null;
    }[]
  >`
    SELECT b.id, b.unit, b.state, b.payments, b.value, b.opened_at, b.forced, b.attempts, b.failures, b.decisions->-1 AS last_decision, w.claim_by
    FROM batch b LEFT JOIN (
      SELECT p.batch_id, min(c.withdrawable_at) AS claim_by
      FROM channel c JOIN payment p ON p.channel = c.id AND p.cumulative > c.claimed
      WHERE c.run_id = ${runId} AND c.withdrawable_at IS NOT NULL GROUP BY p.batch_id
    ) w ON w.batch_id = b.id
    WHERE b.run_id = ${runId} AND b.state IN ('open', 'closed') AND b.payments > 0 ORDER BY b.id`;
  return rows.map((row) => ({
    id: row.id,
    unit: row.unit,
    state: row.state,
    payments: row.payments,
    value: row.value,
    openedAt: Number(row.opened_at),
    isForced: row.forced,
    claimBy: row.claim_by === null ? null : Number(row.claim_by),
    attempts: row.attempts,
    failures: row.failures,
    lastDecision: row.last_decision,
  }));
}

/** How many channels a batch claims, for how many payees: what its gas depends on. */
export async function spreadOf(sql: Sql, batchId: bigint): Promise<{ channels: number; payees: number }> {
  const [row] = await sql<{ channels: number; payees: number }[]>`
    SELECT count(DISTINCT c.id)::int AS channels, count(DISTINCT c.receiver)::int AS payees
    FROM payment p JOIN channel c ON c.id = p.channel WHERE p.batch_id = ${batchId} AND p.cumulative > c.claimed`;
  return row ?? { channels: 0, payees: 0 };
}

/** Decisions kept of one batch; beyond it the last is replaced, so that a long wait does not grow its row for ever. */
const decisionsMax = 32;

/** Adds to the decisions of a batch that still waits; other batches keep theirs. */
export async function recordDecision(sql: Sql | Tx, batchId: bigint, decision: BatchDecision): Promise<void> {
  await sql`
    UPDATE batch SET decisions =
      CASE WHEN jsonb_array_length(decisions) < ${decisionsMax} THEN decisions ELSE decisions - (${decisionsMax} - 1) END
      || ${sql.json([decision])}::jsonb
    WHERE id = ${batchId} AND state IN ('open', 'closed')`;
}

/** Closes the batch if it is still open. @returns whether it was */
export async function closeBatch(
  sql: Sql,
  batchId: bigint,
  reason: CloseReason,
  now: number,
): Promise<boolean> {
  const { count } = await sql`
    UPDATE batch SET state = 'closed', closed_by = ${reason}, closed_at = ${now} WHERE id = ${batchId} AND state = 'open'`;
  return count > 0;
}

/** Marks all waiting batches to be settled now, and closes the open ones. Returns the ids of these, oldest first. */
export async function forceBatches(sql: Sql, runId: bigint, now: number): Promise<bigint[]> {
  const rows = await sql<{ id: bigint; is_closed_now: boolean }[]>`
    UPDATE batch SET state = 'closed', forced = true, closed_by = coalesce(closed_by, 'forced'),
      closed_at = coalesce(closed_at, ${now})
    WHERE run_id = ${runId} AND state IN ('open', 'closed') AND payments > 0
    RETURNING id, closed_by = 'forced' AND closed_at = ${now} AS is_closed_now`;
  return rows
    .flatMap(({ id, is_closed_now }) => (is_closed_now ? id : []))
    .toSorted((one, other) => (one < other ? -1 : 1));
}

/** Batches `b` with cleared payments that were begun by that moment, and are not settled. */
const unsettledCleared = (sql: Sql, runId: bigint, at: number) => sql`
  b.run_id = ${runId} AND b.state IN ('open', 'closed', 'submitted') AND b.payments > 0 AND b.opened_at <= ${at}
  AND EXISTS (SELECT FROM payment p JOIN channel c ON c.id = p.channel WHERE p.batch_id = b.id AND c.is_cleared)`;

/** Whether every cleared payment of a batch that was begun by that moment is settled, or can never be. */
export async function areClearedUntil(sql: Sql, runId: bigint, at: number): Promise<boolean> {
  const [open] = await sql`SELECT FROM batch b WHERE ${unsettledCleared(sql, runId, at)} LIMIT 1`;
  return open === undefined;
}

/** Marks those of them to be settled that wait only because they are not worth their gas. */
export async function forceCleared(sql: Sql, runId: bigint, at: number): Promise<void> {
  await sql`
    UPDATE batch b SET forced = true
    WHERE ${unsettledCleared(sql, runId, at)} AND NOT b.forced AND b.state <> 'submitted' AND b.decisions->-1->>'reason' = 'worth'`;
}

interface BatchRow {
  id: bigint;
  unit: UnitCode;
  state: BatchView["state"];
  closed_by: CloseReason | null;
  payments: number;
  value: bigint;
  opened_at: bigint;
  closed_at: bigint | null;
  settled_at: bigint | null;
  channels: number;
  decisions: BatchDecision[];
  claim_hash: string | null;
  gas_used: bigint | null;
}

const selectBatches = (sql: Sql) => sql`
  SELECT b.*, '0x' || encode(coalesce(b.transaction_hash, t.hash), 'hex') AS claim_hash, t.gas_used,
         (SELECT count(DISTINCT p.channel)::int FROM payment p WHERE p.batch_id = b.id) AS channels
  FROM batch b LEFT JOIN chain_transaction t ON t.id = b.transaction_id`;

/** A batch of the chain, whichever run of it. */
export async function batchById(sql: Sql, chainId: number, id: bigint): Promise<BatchView | null> {
  const [row] = await sql<BatchRow[]>`
    ${selectBatches(sql)} WHERE b.id = ${id} AND b.run_id IN ${runsOf(sql, chainId)}`;
  return row ? ((await viewsOf(sql, [row]))[0] ?? null) : null;
}

/** The chain's, newest first. */
export async function listBatches(
  sql: Sql,
  chainId: number,
  before: bigint | undefined,
  limit: number,
): Promise<BatchView[]> {
  const rows = await sql<BatchRow[]>`
    ${selectBatches(sql)}
    WHERE b.run_id IN ${runsOf(sql, chainId)} AND b.payments > 0 ${before === undefined ? sql`` : sql`AND b.id < ${before}`}
    ORDER BY b.id DESC LIMIT ${limit}`;
  return viewsOf(sql, rows);
}

async function viewsOf(sql: Sql, rows: readonly BatchRow[]): Promise<BatchView[]> {
  const refused = await refusalsOf(
    sql,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => viewOf(row, refused.get(row.id.toString()) ?? []));
}

function viewOf(row: BatchRow, refused: BatchView["refused"]): BatchView {
  return {
    batchId: row.id.toString(),
    state: row.state,
    closedBy: row.closed_by,
    payments: row.payments,
    channels: row.channels,
    value: { amount: formatAmount(row.value, row.unit), unit: row.unit },
    openedAt: Number(row.opened_at),
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
    settledAt: row.settled_at === null ? null : Number(row.settled_at),
    transactionHash: row.claim_hash,
    gasUsed: row.gas_used === null ? null : row.gas_used.toString(),
    decisions: row.decisions,
    refused,
  };
}
