import { chainAccount, lockBooks, payeeAccount } from "#offchain/features/payments/store/channels.ts";
import { apply, type EventPlace, moved } from "#offchain/features/payments/store/claims.ts";
import { hasFailed } from "#offchain/platform/chain/sender/transactionStore.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

/** One payee's line in a root: all that it was ever credited, base units. */
export interface CreditRow {
  payee: `0x${string}`;
  cumulative: bigint;
}

/**
 * `cut`: its rows are fixed. `submitted`: its transaction is on its way. `posted`: the chain has it.
 * `void`: a challenge was won against it; what it promised is in the next one.
 */
export type RootState = "cut" | "submitted" | "posted" | "void";

export interface ClearingRoot {
  number: number;
  state: RootState;
  /** As Clearing takes them: 20 bytes payee, 12 bytes credit each; null for a root that another database posted. */
  rows: `0x${string}` | null;
  root: `0x${string}` | null;
  /** Sum of all credits. */
  total: bigint;
  cutAt: number;
  attempts: number;
  transactionId: bigint | null;
  /** The block's time, epoch ms. */
  postedAt: number | null;
  payoutAttempts: number;
  payoutTransactionId: bigint | null;
  paidAt: number | null;
  openChallenges: number;
}

export interface ClearingChallenge {
  challengeId: bigint;
  rootNumber: number;
  payee: `0x${string}`;
  cumulative: bigint;
  attempts: number;
  transactionId: bigint | null;
}

const rowBytes = 32;

/** @throws RangeError when a credit does not fit its 12 bytes */
export function packRows(rows: readonly CreditRow[]): Buffer {
  const packed = Buffer.alloc(rows.length * rowBytes);
  for (const [at, { payee, cumulative }] of rows.entries()) {
    if (cumulative >= 1n << 96n)
      throw new RangeError(`the credit of ${payee} exceeds 96 bits: ${cumulative}`);
    packed.write(payee.slice(2), at * rowBytes, "hex");
    packed.write(cumulative.toString(16).padStart(24, "0"), at * rowBytes + 20, "hex");
  }
  return packed;
}

export function unpackRows(packed: `0x${string}`): CreditRow[] {
  const bytes = bytesOf(packed);
  return Array.from({ length: bytes.length / rowBytes }, (_, index) => {
    const at = index * rowBytes;
    return {
      payee: hexOf(bytes.subarray(at, at + 20)),
      cumulative: BigInt(hexOf(bytes.subarray(at + 20, at + rowBytes))),
    };
  });
}

/** The number of the root that credits booked from now on must be in. */
export async function nextRoot(sql: Sql | Tx, epochId: bigint): Promise<number> {
  const [row] = await sql<{ number: number }[]>`
    SELECT coalesce(max(number), 0)::int + 1 AS number FROM clearing_root WHERE epoch_id = ${epochId}`;
  return row?.number ?? 1;
}

/** Adds to what payees were credited. @returns what each had before, by lower-case address */
export async function addCredits(
  tx: Tx,
  epochId: bigint,
  added: ReadonlyMap<string, bigint>,
  now: number,
): Promise<Map<string, bigint>> {
  // In one order, so that two instances never wait for each other.
  const payees = [...added.keys()].toSorted();
  const rows = await tx<{ payee: Uint8Array; credited: bigint }[]>`
    INSERT INTO clearing_payee AS known (epoch_id, payee, credited, credited_at)
    SELECT ${epochId}, new.payee, new.amount, ${now} FROM unnest(
      ${list(payees.map(bytesOf))}::text[]::bytea[],
      ${list(payees.map((payee) => (added.get(payee) ?? 0n).toString()))}::numeric[]) AS new(payee, amount)
    ON CONFLICT (epoch_id, payee) DO UPDATE
    SET credited = known.credited + excluded.credited, credited_at = excluded.credited_at
    RETURNING payee, credited`;
  return new Map(
    rows.map(({ payee, credited }) => [hexOf(payee), credited - (added.get(hexOf(payee)) ?? 0n)]),
  );
}

/** All that a payee was ever credited, base units. */
export async function creditedTo(sql: Sql | Tx, epochId: bigint, payee: string): Promise<bigint> {
  const [row] = await sql<{ credited: bigint }[]>`
    SELECT credited FROM clearing_payee WHERE epoch_id = ${epochId} AND payee = ${bytesOf(payee)}`;
  return row?.credited ?? 0n;
}

/** All that each payee was ever credited, by lower-case address. */
export async function allCredits(sql: Sql | Tx, epochId: bigint): Promise<Map<string, bigint>> {
  const rows = await sql<{ payee: Uint8Array; credited: bigint }[]>`
    SELECT payee, credited FROM clearing_payee WHERE epoch_id = ${epochId} ORDER BY payee`;
  return new Map(rows.map(({ payee, credited }) => [hexOf(payee), credited]));
}

/** Everybody who was ever credited, in any run of the chain. */
export async function creditedPayees(sql: Sql): Promise<`0x${string}`[]> {
  const rows = await sql<{ payee: Uint8Array }[]>`SELECT DISTINCT payee FROM clearing_payee`;
  return rows.map(({ payee }) => addressOf(payee));
}

/** What payees were credited in all, and since when something of it is in no root; null when all of it is. */
export async function creditStanding(
  sql: Sql | Tx,
  epochId: bigint,
): Promise<{ credited: bigint; waitsSince: number | null }> {
  const [row] = await sql<{ credited: bigint; total: bigint; waits_since: bigint | null }[]>`
    WITH last AS (
      SELECT total, cut_at FROM clearing_root WHERE epoch_id = ${epochId} AND state <> 'void' ORDER BY number DESC LIMIT 1
    )
    SELECT coalesce(sum(credited), 0)::numeric(38,0) AS credited, coalesce((SELECT total FROM last), 0) AS total,
           min(credited_at) FILTER (WHERE credited_at >= coalesce((SELECT cut_at FROM last), 0)) AS waits_since
    FROM clearing_payee WHERE epoch_id = ${epochId}`;
  const { credited = 0n, total = 0n, waits_since = null } = row ?? {};
  return { credited, waitsSince: credited > total ? Number(waits_since) : null };
}

/**
 * Fixes the rows of the next root while no payment is being booked: a receipt that names this root is in it, and every
 * later receipt names a later one.
 * @param rootOf of the rows
 * @returns its number; null when no payee has been credited, or its rows are those of the root before
 */
export async function cutRoot(
  sql: Sql,
  epochId: bigint,
  now: number,
  rootOf: (rows: readonly CreditRow[]) => `0x${string}`,
): Promise<number | null> {
  return sql.begin(async (tx) => {
    await lockBooks(tx, epochId, "alone");
    const credits = await allCredits(tx, epochId);
    const rows = [...credits].map(([payee, cumulative]) => ({ payee: payee as `0x${string}`, cumulative }));
    const packed = packRows(rows);
    const standing = await standingRoot(tx, epochId);
    if (rows.length === 0 || standing?.rows === hexOf(packed)) return null;
    const number = await nextRoot(tx, epochId);
    await tx`
      INSERT INTO clearing_root (epoch_id, number, state, rows, root, total, cut_at)
      VALUES (${epochId}, ${number}, 'cut', ${packed}, ${bytesOf(rootOf(rows))},
              ${rows.reduce((sum, { cumulative }) => sum + cumulative, 0n).toString()}, ${now})`;
    return number;
  }) as Promise<number | null>;
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
  paid_at: bigint | null;
  open_challenges: number;
}

const rootView = (row: RootRow): ClearingRoot => ({
  number: row.number,
  state: row.state,
  rows: row.rows && hexOf(row.rows),
  root: row.root && hexOf(row.root),
  total: row.total,
  cutAt: Number(row.cut_at),
  attempts: row.attempts,
  transactionId: row.transaction_id,
  postedAt: row.posted_at === null ? null : Number(row.posted_at),
  payoutAttempts: row.payout_attempts,
  payoutTransactionId: row.payout_transaction_id,
  paidAt: row.paid_at === null ? null : Number(row.paid_at),
  openChallenges: row.open_challenges,
});

const selectRoots = (sql: Sql | Tx, epochId: bigint) => sql`
  SELECT r.*, (SELECT count(*)::int FROM clearing_challenge k
               WHERE k.epoch_id = r.epoch_id AND k.root_number = r.number AND k.state = 'open') AS open_challenges
  FROM clearing_root r WHERE r.epoch_id = ${epochId}`;

/** The newest root, whatever became of it. */
export async function lastRoot(sql: Sql | Tx, epochId: bigint): Promise<ClearingRoot | null> {
  const [row] = await sql<RootRow[]>`${selectRoots(sql, epochId)} ORDER BY r.number DESC LIMIT 1`;
  return row ? rootView(row) : null;
}

/** The newest root on the chain that was not voided. */
export async function standingRoot(sql: Sql | Tx, epochId: bigint): Promise<ClearingRoot | null> {
  const [row] = await sql<RootRow[]>`
    ${selectRoots(sql, epochId)} AND r.state = 'posted' ORDER BY r.number DESC LIMIT 1`;
  return row ? rootView(row) : null;
}

/** Newest first; `before` is the last number already seen. */
export async function listRoots(
  sql: Sql,
  epochId: bigint,
  before: number | undefined,
  limit: number,
): Promise<(ClearingRoot & { transactionHash: string | null; payoutHash: string | null })[]> {
  const rows = await sql<(RootRow & { transaction_hash: string | null; payout_hash: string | null })[]>`
    SELECT q.*, '0x' || encode(t.hash, 'hex') AS transaction_hash, '0x' || encode(p.hash, 'hex') AS payout_hash
    FROM (${selectRoots(sql, epochId)} ${before === undefined ? sql`` : sql`AND r.number < ${before}`}
          ORDER BY r.number DESC LIMIT ${limit}) q
    LEFT JOIN chain_transaction t ON t.id = q.transaction_id
    LEFT JOIN chain_transaction p ON p.id = q.payout_transaction_id
    ORDER BY q.number DESC`;
  return rows.map((row) => ({
    ...rootView(row),
    transactionHash: row.transaction_hash,
    payoutHash: row.payout_hash,
  }));
}

/** Whether every payment that was in the books when the root was cut has been claimed, or can never be. */
export async function isClaimed(sql: Sql | Tx, epochId: bigint, cutAt: number): Promise<boolean> {
  const [open] = await sql`
    SELECT FROM batch WHERE epoch_id = ${epochId} AND state IN ('open', 'closed', 'submitted') AND payments > 0
      AND opened_at <= ${cutAt} LIMIT 1`;
  return open === undefined;
}

export async function markRootSubmitted(
  tx: Tx,
  epochId: bigint,
  number: number,
  transactionId: bigint,
): Promise<void> {
  await tx`
    UPDATE clearing_root SET state = 'submitted', transaction_id = ${transactionId}, attempts = attempts + 1
    WHERE epoch_id = ${epochId} AND number = ${number} AND state = 'cut'`;
}

export async function markPayoutSubmitted(
  tx: Tx,
  epochId: bigint,
  number: number,
  transactionId: bigint,
): Promise<void> {
  await tx`
    UPDATE clearing_root SET payout_transaction_id = ${transactionId}, payout_attempts = payout_attempts + 1
    WHERE epoch_id = ${epochId} AND number = ${number}`;
}

export async function markAnswerSubmitted(
  tx: Tx,
  epochId: bigint,
  challengeId: bigint,
  transactionId: bigint,
): Promise<void> {
  await tx`
    UPDATE clearing_challenge SET transaction_id = ${transactionId}, attempts = attempts + 1
    WHERE epoch_id = ${epochId} AND challenge_id = ${challengeId.toString()}`;
}

/** Lets what failed on the chain be tried again. @returns how many */
export async function reopenFailedClearing(sql: Sql, epochId: bigint): Promise<number> {
  const failed = sql`SELECT id FROM chain_transaction t WHERE ${hasFailed(sql)}`;
  const [posts, payouts, answers] = await Promise.all([
    sql`UPDATE clearing_root SET state = 'cut', transaction_id = NULL
        WHERE epoch_id = ${epochId} AND state = 'submitted' AND transaction_id IN (${failed})`,
    sql`UPDATE clearing_root SET payout_transaction_id = NULL
        WHERE epoch_id = ${epochId} AND state = 'posted' AND paid_at IS NULL AND payout_transaction_id IN (${failed})`,
    sql`UPDATE clearing_challenge SET transaction_id = NULL
        WHERE epoch_id = ${epochId} AND state = 'open' AND transaction_id IN (${failed})`,
  ]);
  return posts.count + payouts.count + answers.count;
}

/** Challenges that nobody has answered yet, and that no answer is on its way to. */
export async function openChallenges(sql: Sql, epochId: bigint): Promise<ClearingChallenge[]> {
  const rows = await sql<
    {
      challenge_id: bigint;
      root_number: number;
      payee: Uint8Array;
      cumulative: bigint;
      attempts: number;
      transaction_id: bigint | null;
    }[]
  >`SELECT * FROM clearing_challenge WHERE epoch_id = ${epochId} AND state = 'open' AND transaction_id IS NULL
    ORDER BY challenge_id`;
  return rows.map((row) => ({
    challengeId: row.challenge_id,
    rootNumber: row.root_number,
    payee: hexOf(row.payee),
    cumulative: row.cumulative,
    attempts: row.attempts,
    transactionId: row.transaction_id,
  }));
}

export async function rootByNumber(
  sql: Sql | Tx,
  epochId: bigint,
  number: number,
): Promise<ClearingRoot | null> {
  const [row] = await sql<RootRow[]>`${selectRoots(sql, epochId)} AND r.number = ${number}`;
  return row ? rootView(row) : null;
}

// What follows is done by events, in the transaction that moves the indexer's checkpoint.

export async function applyRootPosted(
  tx: Tx,
  epochId: bigint,
  posted: { number: number; root: string; total: bigint },
  place: EventPlace,
): Promise<void> {
  await tx`
    INSERT INTO clearing_root (epoch_id, number, state, root, total, cut_at, posted_at)
    VALUES (${epochId}, ${posted.number}, 'posted', ${bytesOf(posted.root)}, ${posted.total.toString()},
            ${place.blockAt}, ${place.blockAt})
    ON CONFLICT (epoch_id, number) DO UPDATE SET state = 'posted', posted_at = excluded.posted_at`;
}

export async function retractRootPosted(tx: Tx, epochId: bigint, number: number): Promise<void> {
  await tx`
    UPDATE clearing_root SET state = CASE WHEN transaction_id IS NULL THEN 'cut' ELSE 'submitted' END, posted_at = NULL
    WHERE epoch_id = ${epochId} AND number = ${number}`;
}

export async function setRootVoid(
  tx: Tx,
  epochId: bigint,
  number: number,
  challengeId: bigint,
  isVoid: boolean,
): Promise<void> {
  await tx`
    UPDATE clearing_root SET state = ${isVoid ? "void" : "posted"} WHERE epoch_id = ${epochId} AND number = ${number}`;
  await setChallengeState(tx, epochId, challengeId, isVoid ? "won" : "open");
}

export async function saveChallenge(
  tx: Tx,
  epochId: bigint,
  challenge: {
    challengeId: bigint;
    rootNumber: number;
    payee: string;
    cumulative: bigint;
    answerBy: number;
  },
): Promise<void> {
  const { challengeId, rootNumber, payee, cumulative, answerBy } = challenge;
  await tx`
    INSERT INTO clearing_challenge (epoch_id, challenge_id, root_number, payee, cumulative, answer_by, state)
    VALUES (${epochId}, ${challengeId.toString()}, ${rootNumber}, ${bytesOf(payee)}, ${cumulative.toString()}, ${answerBy}, 'open')`;
}

export async function dropChallenge(tx: Tx, epochId: bigint, challengeId: bigint): Promise<void> {
  await tx`DELETE FROM clearing_challenge WHERE epoch_id = ${epochId} AND challenge_id = ${challengeId.toString()}`;
}

export async function setChallengeState(
  tx: Tx,
  epochId: bigint,
  challengeId: bigint,
  state: "open" | "answered" | "won",
): Promise<void> {
  await tx`
    UPDATE clearing_challenge SET state = ${state}
    WHERE epoch_id = ${epochId} AND challenge_id = ${challengeId.toString()}`;
}

export async function setRootPaid(tx: Tx, epochId: bigint, number: number, at: number | null): Promise<void> {
  await tx`UPDATE clearing_root SET paid_at = ${at} WHERE epoch_id = ${epochId} AND number = ${number}`;
}

/**
 * Clearing paid payees. What it had claimed for them leaves the books; what it paid beyond that was the operator's own
 * money, which the books never held.
 */
export async function applyPayout(
  tx: Tx,
  epochId: bigint,
  clearing: string,
  amount: bigint,
  place: EventPlace,
): Promise<void> {
  const account = payeeAccount(epochId, clearing);
  const [held] = await tx<{ balance: bigint }[]>`
    SELECT balance FROM account WHERE name = ${account} AND unit = 'USDC'`;
  const balance = held?.balance ?? 0n;
  const booked = balance < amount ? balance : amount;
  if (booked > 0n)
    await apply(
      tx,
      [moved({ debit: account, credit: chainAccount(epochId), unit: "USDC", amount: booked }, place)],
      place.blockAt,
    );
  await tx`
    INSERT INTO clearing_payout VALUES (${epochId}, ${bytesOf(place.blockHash)}, ${place.logIndex}, ${booked.toString()})`;
}

export async function retractPayout(
  tx: Tx,
  epochId: bigint,
  clearing: string,
  place: EventPlace,
): Promise<void> {
  const [row] = await tx<{ booked: bigint }[]>`
    DELETE FROM clearing_payout
    WHERE epoch_id = ${epochId} AND block_hash = ${bytesOf(place.blockHash)} AND log_index = ${place.logIndex}
    RETURNING booked`;
  if (!row || row.booked === 0n) return;
  const accounts = { debit: chainAccount(epochId), credit: payeeAccount(epochId, clearing) };
  await apply(tx, [moved({ ...accounts, unit: "USDC", amount: row.booked }, place)], place.blockAt);
}
