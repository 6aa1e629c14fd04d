import { gasUsedFor } from "#offchain/platform/chain/sender/transactionStore.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { type EpochStanding, purposes } from "../rules.ts";
import { assignDue, reassign, waitSince } from "./credits.ts";

export interface ClearingEpoch extends EpochStanding {
  number: number;
  /** How many rows it has; null: another database filled it, and they are not known here. */
  payees: number | null;
  /** What it adds to credits: as the chain says once it is complete there, until then at the most. */
  total: bigint;
  cutAt: number;
  /** How many rows the chain has after its newest call. */
  callTo: number;
  /** Of how many rows the payees were paid, and of how many after the newest payout. */
  paidRows: number;
  payoutTo: number;
  payoutAttempts: number;
  /** Since a payout last succeeded. */
  payoutFailures: number;
}

/** The number of the epoch that credits booked from now on must be in. */
export async function nextEpoch(sql: Sql | Tx, runId: bigint): Promise<number> {
  const [row] = await sql<{ number: number }[]>`
    SELECT coalesce(max(number), 0)::int + 1 AS number FROM clearing_epoch WHERE run_id = ${runId}`;
  return row?.number ?? 1;
}

/** Makes what is due an epoch, while nobody is credited. @returns its number; null when nothing is due */
export async function insertEpoch(tx: Tx, runId: bigint, least: bigint, now: number): Promise<number | null> {
  const number = await nextEpoch(tx, runId);
  const { payees, total } = await assignDue(tx, runId, number, least);
  if (payees === 0) return null;
  await tx`
    INSERT INTO clearing_epoch (run_id, number, payees, total, cut_at)
    VALUES (${runId}, ${number}, ${payees}, ${total.toString()}, ${now})`;
  return number;
}

interface EpochRow {
  number: number;
  payees: number | null;
  total: bigint;
  cut_at: bigint;
  attempts: number;
  filled: number;
  call_to: number;
  sealed_at: bigint | null;
  is_void: boolean;
  paid_rows: number;
  payout_to: number;
  payout_attempts: number;
  payout_failures: number;
  paid_at: bigint | null;
}

const timeOf = (at: bigint | null): number | null => (at === null ? null : Number(at));

const toEpoch = (row: EpochRow): ClearingEpoch => ({
  number: row.number,
  payees: row.payees,
  total: row.total,
  cutAt: Number(row.cut_at),
  attempts: row.attempts,
  filled: row.filled,
  callTo: row.call_to,
  sealedAt: timeOf(row.sealed_at),
  isVoid: row.is_void,
  paidRows: row.paid_rows,
  payoutTo: row.payout_to,
  payoutAttempts: row.payout_attempts,
  payoutFailures: row.payout_failures,
  paidAt: timeOf(row.paid_at),
});

/** Epochs with what the chain has of them. */
const selectEpochs = (sql: Sql | Tx, runId: bigint) => sql`
  SELECT e.*, coalesce(f.rows, 0) AS filled,
         CASE WHEN e.payees IS NULL OR e.sealed_at IS NOT NULL THEN coalesce(f.total, 0) ELSE e.total END::numeric(38,0) AS total
  FROM clearing_epoch e LEFT JOIN LATERAL (
    SELECT rows, total FROM clearing_fill WHERE run_id = e.run_id AND number = e.number ORDER BY rows DESC LIMIT 1
  ) f ON true WHERE e.run_id = ${runId}`;

/** The newest epoch, whatever became of it. */
export async function lastEpoch(sql: Sql | Tx, runId: bigint): Promise<ClearingEpoch | null> {
  const [row] = await sql<EpochRow[]>`${selectEpochs(sql, runId)} ORDER BY e.number DESC LIMIT 1`;
  return row ? toEpoch(row) : null;
}

/** Complete epochs whose payees were not all paid, newest first. */
export async function unpaidEpochs(sql: Sql, runId: bigint, limit: number): Promise<ClearingEpoch[]> {
  const rows = await sql<EpochRow[]>`
    ${selectEpochs(sql, runId)} AND e.sealed_at IS NOT NULL AND NOT e.is_void AND e.paid_at IS NULL AND e.payees IS NOT NULL
    ORDER BY e.number DESC LIMIT ${limit}`;
  return rows.map(toEpoch);
}

/** An epoch that stands and was filled by another database, whose credits are not known here; null: there is none. */
export async function strangeEpoch(sql: Sql, runId: bigint): Promise<number | null> {
  const [row] = await sql<{ number: number }[]>`
    SELECT e.number FROM (${selectEpochs(sql, runId)} AND NOT e.is_void) e
    WHERE e.payees IS NULL OR e.filled > e.call_to ORDER BY e.number DESC LIMIT 1`;
  return row?.number ?? null;
}

/** An epoch with its newest call, and its newest payout. */
export type ListedEpoch = ClearingEpoch & { transactionHash: string | null; payoutHash: string | null };

/** Newest first; `before` is the last number already seen. */
export async function listEpochs(
  sql: Sql,
  runId: bigint,
  before: bigint | undefined,
  limit: number,
): Promise<ListedEpoch[]> {
  const rows = await sql<(EpochRow & { transaction_hash: string | null; payout_hash: string | null })[]>`
    SELECT q.*, '0x' || encode(t.hash, 'hex') AS transaction_hash, '0x' || encode(p.hash, 'hex') AS payout_hash
    FROM (${selectEpochs(sql, runId)} ${before === undefined ? sql`` : sql`AND e.number < ${before}`}
          ORDER BY e.number DESC LIMIT ${limit}) q
    LEFT JOIN chain_transaction t ON t.id = q.transaction_id
    LEFT JOIN chain_transaction p ON p.id = q.payout_transaction_id
    ORDER BY q.number DESC`;
  return rows.map((row) => ({
    ...toEpoch(row),
    transactionHash: row.transaction_hash,
    payoutHash: row.payout_hash,
  }));
}

/** A call is on its way: it fills the epoch up to so many rows. */
export async function markCalled(
  tx: Tx,
  runId: bigint,
  number: number,
  call: { transactionId: bigint; callTo: number },
): Promise<void> {
  await tx`
    UPDATE clearing_epoch
    SET transaction_id = ${call.transactionId}, attempts = attempts + 1, call_to = ${call.callTo}
    WHERE run_id = ${runId} AND number = ${number}`;
}

// What follows is done by events, in the transaction that moves the indexer's checkpoint.

export async function applyFilled(
  tx: Tx,
  runId: bigint,
  fill: { number: number; rows: number; total: bigint },
  blockAt: number,
): Promise<void> {
  await tx`
    INSERT INTO clearing_epoch AS e (run_id, number, total, cut_at) VALUES (${runId}, ${fill.number}, 0, ${blockAt})
    ON CONFLICT (run_id, number) DO UPDATE SET failures = 0`;
  await tx`
    INSERT INTO clearing_fill (run_id, number, rows, total)
    VALUES (${runId}, ${fill.number}, ${fill.rows}, ${fill.total.toString()})`;
}

export async function retractFilled(tx: Tx, runId: bigint, number: number, rows: number): Promise<void> {
  await tx`DELETE FROM clearing_fill WHERE run_id = ${runId} AND number = ${number} AND rows = ${rows}`;
  // One that only the chain knew is gone with its first call.
  await tx`
    DELETE FROM clearing_epoch e WHERE run_id = ${runId} AND number = ${number} AND payees IS NULL
      AND NOT EXISTS (SELECT FROM clearing_fill f WHERE f.run_id = e.run_id AND f.number = e.number)`;
}

/** Complete since then; null: not any more, so what was paid of it was taken back too. */
export async function setSealed(
  tx: Tx,
  runId: bigint,
  number: number,
  sealedAt: number | null,
): Promise<void> {
  await tx`
    UPDATE clearing_epoch SET sealed_at = ${sealedAt}, paid_rows = 0, payout_from = 0, payout_to = 0, paid_at = NULL
    WHERE run_id = ${runId} AND number = ${number}`;
}

/** Void, what it credited is in no epoch again, and has waited at least since it was cut. */
export async function setVoid(tx: Tx, runId: bigint, number: number, isVoid: boolean): Promise<void> {
  const [row] = await tx<{ cut_at: bigint }[]>`
    UPDATE clearing_epoch SET is_void = ${isVoid} WHERE run_id = ${runId} AND number = ${number} RETURNING cut_at`;
  if (!row) return;
  await reassign(tx, runId, number);
  if (isVoid) await waitSince(tx, runId, Number(row.cut_at));
}

/** Gas of a run's epochs and payouts. */
export const gasOf = (sql: Sql, runId: bigint): Promise<bigint> =>
  gasUsedFor(sql, runId, [purposes.epoch, purposes.payout]);
