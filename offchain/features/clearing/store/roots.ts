import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { type RootStanding, type RootState, rowBytes } from "../rules.ts";

export interface ClearingRoot extends RootStanding {
  number: number;
  /** As Clearing takes them: 20 bytes payee, 12 bytes credit each; null for a root that another database posted. */
  rows: `0x${string}` | null;
  /** Null until it is computed, right after the cut. */
  root: `0x${string}` | null;
  /** Sum of all credits. */
  total: bigint;
  cutAt: number;
  attempts: number;
  transactionId: bigint | null;
  payoutAttempts: number;
  payoutTransactionId: bigint | null;
  /** Since a payout last succeeded. */
  payoutFailures: number;
}

/** The number of the root that credits booked from now on must be in. */
export async function nextRoot(sql: Sql | Tx, runId: bigint): Promise<number> {
  const [row] = await sql<{ number: number }[]>`
    SELECT coalesce(max(number), 0)::int + 1 AS number FROM clearing_root WHERE run_id = ${runId}`;
  return row?.number ?? 1;
}

/** Fixes the rows of a root; its hash is stored later. */
export async function insertRoot(
  tx: Tx,
  runId: bigint,
  { number, rows, total }: { number: number; rows: Uint8Array; total: bigint },
  now: number,
): Promise<void> {
  await tx`
    INSERT INTO clearing_root (run_id, number, state, rows, total, cut_at)
    VALUES (${runId}, ${number}, 'cut', ${rows}, ${total.toString()}, ${now})`;
  await tx`UPDATE clearing_credited SET waits_since = NULL WHERE run_id = ${runId}`;
}

export async function saveRootHash(
  sql: Sql,
  runId: bigint,
  number: number,
  root: `0x${string}`,
): Promise<void> {
  await sql`
    UPDATE clearing_root SET root = ${bytesOf(root)} WHERE run_id = ${runId} AND number = ${number}`;
}

interface RootRow {
  number: number;
  state: RootState;
  rows: Uint8Array | null;
  root: Uint8Array | null;
  total: bigint;
  cut_at: bigint;
  attempts: number;
  transaction_id: bigint | null;
  posted_at: bigint | null;
  payout_attempts: number;
  payout_transaction_id: bigint | null;
  payout_failures: number;
  paid_at: bigint | null;
  open_challenges: number;
}

const rootView = (row: RootRow): ClearingRoot => ({
  ...rootFacts(row),
  rows: row.rows && hexOf(row.rows),
});

const rootFacts = (row: Omit<RootRow, "rows">): Omit<ClearingRoot, "rows"> => ({
  number: row.number,
  state: row.state,
  root: row.root && hexOf(row.root),
  total: row.total,
  cutAt: Number(row.cut_at),
  attempts: row.attempts,
  transactionId: row.transaction_id,
  postedAt: row.posted_at === null ? null : Number(row.posted_at),
  payoutAttempts: row.payout_attempts,
  payoutTransactionId: row.payout_transaction_id,
  payoutFailures: row.payout_failures,
  paidAt: row.paid_at === null ? null : Number(row.paid_at),
  openChallenges: row.open_challenges,
});

const selectRoots = (sql: Sql | Tx, runId: bigint) => sql`
  SELECT r.*, (SELECT count(*)::int FROM clearing_challenge k
               WHERE k.run_id = r.run_id AND k.root_number = r.number AND k.state = 'open') AS open_challenges
  FROM clearing_root r WHERE r.run_id = ${runId}`;

/** The newest root, whatever became of it. */
export async function lastRoot(sql: Sql | Tx, runId: bigint): Promise<ClearingRoot | null> {
  const [row] = await sql<RootRow[]>`${selectRoots(sql, runId)} ORDER BY r.number DESC LIMIT 1`;
  return row ? rootView(row) : null;
}

/** The newest root on the chain that was not voided. */
export async function standingRoot(sql: Sql | Tx, runId: bigint): Promise<ClearingRoot | null> {
  const [row] = await sql<RootRow[]>`
    ${selectRoots(sql, runId)} AND r.state = 'posted' ORDER BY r.number DESC LIMIT 1`;
  return row ? rootView(row) : null;
}

/** A root with the transactions that posted it and paid its payees. */
export type ListedRoot = Omit<ClearingRoot, "rows"> & {
  /** Null for a root that another database posted. */
  payees: number | null;
  transactionHash: string | null;
  payoutHash: string | null;
};

/** Newest first, without their rows, of which there may be many; `before` is the last number already seen. */
export async function listRoots(
  sql: Sql,
  runId: bigint,
  before: bigint | undefined,
  limit: number,
): Promise<ListedRoot[]> {
  type Listed = Omit<RootRow, "rows"> & {
    payees: number | null;
    transaction_hash: string | null;
    payout_hash: string | null;
  };
  const rows = await sql<Listed[]>`
    SELECT q.number, q.state, q.root, q.total, q.cut_at, q.attempts, q.transaction_id, q.posted_at, q.payout_attempts,
           q.payout_transaction_id, q.paid_at, q.open_challenges, octet_length(q.rows) / ${rowBytes}::int AS payees, '0x' || encode(t.hash, 'hex') AS transaction_hash, '0x' || encode(p.hash, 'hex') AS payout_hash
    FROM (${selectRoots(sql, runId)} ${before === undefined ? sql`` : sql`AND r.number < ${before}`}
          ORDER BY r.number DESC LIMIT ${limit}) q
    LEFT JOIN chain_transaction t ON t.id = q.transaction_id
    LEFT JOIN chain_transaction p ON p.id = q.payout_transaction_id
    ORDER BY q.number DESC`;
  return rows.map((row) => ({
    ...rootFacts(row),
    payees: row.payees,
    transactionHash: row.transaction_hash,
    payoutHash: row.payout_hash,
  }));
}

export async function rootByNumber(
  sql: Sql | Tx,
  runId: bigint,
  number: number,
): Promise<ClearingRoot | null> {
  const [row] = await sql<RootRow[]>`${selectRoots(sql, runId)} AND r.number = ${number}`;
  return row ? rootView(row) : null;
}

export async function markRootSubmitted(
  tx: Tx,
  runId: bigint,
  number: number,
  transactionId: bigint,
): Promise<void> {
  await tx`
    UPDATE clearing_root SET state = 'submitted', transaction_id = ${transactionId}, attempts = attempts + 1
    WHERE run_id = ${runId} AND number = ${number} AND state = 'cut'`;
}

export async function markPayoutSubmitted(
  tx: Tx,
  runId: bigint,
  number: number,
  transactionId: bigint,
): Promise<void> {
  await tx`
    UPDATE clearing_root SET payout_transaction_id = ${transactionId}, payout_attempts = payout_attempts + 1
    WHERE run_id = ${runId} AND number = ${number}`;
}

/**
 * A transaction that paid a part of the payees has been mined: the next part may go. So may another payout when the one
 * that paid all is final and the root is not paid, as it is when the event of it was lost.
 */
export async function endPayoutParts(
  sql: Sql,
  runId: bigint,
  number: number,
  clearing: string,
): Promise<boolean> {
  const { count } = await sql`
    UPDATE clearing_root r SET payout_transaction_id = NULL, payout_failures = 0
    FROM chain_transaction t
    WHERE r.run_id = ${runId} AND r.number = ${number} AND t.id = r.payout_transaction_id
      AND t.state = 'mined' AND t.success AND (t.target <> ${bytesOf(clearing)} OR t.final)`;
  return count > 0;
}

// What follows is done by events, in the transaction that moves the indexer's checkpoint.

export async function applyRootPosted(
  tx: Tx,
  runId: bigint,
  posted: { number: number; root: string; total: bigint },
  blockAt: number,
): Promise<void> {
  await tx`
    INSERT INTO clearing_root (run_id, number, state, root, total, cut_at, posted_at)
    VALUES (${runId}, ${posted.number}, 'posted', ${bytesOf(posted.root)}, ${posted.total.toString()},
            ${blockAt}, ${blockAt})
    ON CONFLICT (run_id, number) DO UPDATE
    SET state = 'posted', posted_at = excluded.posted_at, root = coalesce(clearing_root.root, excluded.root)`;
}

export async function retractRootPosted(tx: Tx, runId: bigint, number: number): Promise<void> {
  // One that only the chain knew is gone with its event.
  await tx`DELETE FROM clearing_root WHERE run_id = ${runId} AND number = ${number} AND rows IS NULL`;
  await tx`
    UPDATE clearing_root SET state = CASE WHEN transaction_id IS NULL THEN 'cut' ELSE 'submitted' END, posted_at = NULL
    WHERE run_id = ${runId} AND number = ${number}`;
}

export async function setRootState(
  tx: Tx,
  runId: bigint,
  number: number,
  state: "posted" | "void",
): Promise<void> {
  await tx`UPDATE clearing_root SET state = ${state} WHERE run_id = ${runId} AND number = ${number}`;
  // What it promised is in no root again, and has waited at least since it was cut.
  if (state === "void")
    await tx`
      UPDATE clearing_credited c SET waits_since = least(c.waits_since, r.cut_at)
      FROM clearing_root r WHERE c.run_id = ${runId} AND r.run_id = c.run_id AND r.number = ${number}`;
}

/** Paid once, it stays so: anybody may pay a root again, which moves nothing. */
export async function setRootPaid(tx: Sql | Tx, runId: bigint, number: number, at: number): Promise<void> {
  await tx`
    UPDATE clearing_root SET paid_at = coalesce(paid_at, ${at}::bigint) WHERE run_id = ${runId} AND number = ${number}`;
}

/** A payout of the root was taken back, and is removed: it is paid no more unless another one stands. */
export async function retractRootPaid(tx: Tx, runId: bigint, number: number): Promise<void> {
  await tx`
    UPDATE clearing_root r SET paid_at = NULL
    WHERE run_id = ${runId} AND number = ${number}
      AND NOT EXISTS (SELECT FROM clearing_payout p WHERE p.run_id = r.run_id AND p.root_number = r.number)`;
}
