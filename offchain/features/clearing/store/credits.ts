import { bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Credit } from "../service.ts";

/** Adds to what payees were credited. @returns what each had before, by lower-case address */
export async function addCredits(
  tx: Tx,
  runId: bigint,
  added: ReadonlyMap<string, bigint>,
  now: number,
): Promise<Map<string, bigint>> {
  // In one order, so that two instances never wait for each other.
  const payees = [...added.keys()].toSorted();
  const total = [...added.values()].reduce((sum, amount) => sum + amount, 0n);
  const rows = await tx<{ payee: Uint8Array; credited: bigint }[]>`
    WITH summed AS (
      INSERT INTO clearing_credited AS s (run_id, credited, waits_since)
      VALUES (${runId}, ${total.toString()}::numeric, ${now})
      ON CONFLICT (run_id) DO UPDATE
      SET credited = s.credited + excluded.credited, waits_since = coalesce(s.waits_since, excluded.waits_since)
    )
    INSERT INTO clearing_payee AS known (run_id, payee, credited, credited_at)
    SELECT ${runId}, new.payee, new.amount, ${now} FROM unnest(
      ${list(payees.map(bytesOf))}::text[]::bytea[],
      ${list(payees.map((payee) => (added.get(payee) ?? 0n).toString()))}::numeric[]) AS new(payee, amount)
    ON CONFLICT (run_id, payee) DO UPDATE
    SET credited = known.credited + excluded.credited, credited_at = excluded.credited_at
    RETURNING payee, credited`;
  return new Map(
    rows.map(({ payee, credited }) => [hexOf(payee), credited - (added.get(hexOf(payee)) ?? 0n)]),
  );
}

/** All that a payee was ever credited, base units. */
export async function creditedTo(sql: Sql | Tx, runId: bigint, payee: string): Promise<bigint> {
  const [row] = await sql<{ credited: bigint }[]>`
    SELECT credited FROM clearing_payee WHERE run_id = ${runId} AND payee = ${bytesOf(payee)}`;
  return row?.credited ?? 0n;
}

/** What those of `payees` that were ever credited were, by lower-case address. */
export async function creditsTo(
  sql: Sql | Tx,
  runId: bigint,
  payees: readonly string[],
): Promise<Map<string, bigint>> {
  const rows = await sql<{ payee: Uint8Array; credited: bigint }[]>`
    SELECT payee, credited FROM clearing_payee
    WHERE run_id = ${runId} AND payee = ANY(${list(payees.map(bytesOf))}::text[]::bytea[])`;
  return new Map(rows.map(({ payee, credited }) => [hexOf(payee), credited]));
}

/** What each payee was ever credited, by lower-case address. */
export async function allCredits(sql: Sql | Tx, runId: bigint): Promise<Map<string, Credit>> {
  const rows = await sql<{ payee: Uint8Array; credited: bigint; payable: bigint }[]>`
    SELECT payee, credited, CASE WHEN demands > 0 THEN credited ELSE assigned END AS payable
    FROM clearing_payee WHERE run_id = ${runId}`;
  return new Map(rows.map(({ payee, ...credit }) => [hexOf(payee), credit]));
}

/** What payees were credited in all, and since when something of it may be in no epoch; null when nothing was since a cut. */
export async function creditStanding(
  sql: Sql | Tx,
  runId: bigint,
): Promise<{ credited: bigint; waitsSince: number | null }> {
  const [row] = await sql<{ credited: bigint; waits_since: bigint | null }[]>`
    SELECT credited, waits_since FROM clearing_credited WHERE run_id = ${runId}`;
  const waitsSince = row?.waits_since ?? null;
  return { credited: row?.credited ?? 0n, waitsSince: waitsSince === null ? null : Number(waitsSince) };
}

/** Of `clearing_payee`: who is owed at least `least` that is in no epoch. Written as its index is. */
const isDue = (sql: Sql | Tx, runId: bigint, least: bigint) => sql`
  run_id = ${runId} AND credited > assigned AND (credited - assigned) >= ${least.toString()}::numeric`;

export async function isAnyDue(sql: Sql, runId: bigint, least: bigint): Promise<boolean> {
  const [row] = await sql`SELECT 1 FROM clearing_payee WHERE ${isDue(sql, runId, least)} LIMIT 1`;
  return row !== undefined;
}

/**
 * Makes what is due the rows of an epoch, while nobody is credited. What its payees have demanded is not asked: a row adds
 * what is missing, and so it is right whether or not a reorganisation takes a demand back.
 */
export async function assignDue(
  tx: Tx,
  runId: bigint,
  number: number,
  least: bigint,
): Promise<{ payees: number; total: bigint }> {
  const [assigned] = await tx<{ payees: number; total: bigint }[]>`
    WITH due AS (
      SELECT payee, credited, credited - assigned AS missing, row_number() OVER (ORDER BY payee) - 1 AS place
      FROM clearing_payee WHERE ${isDue(tx, runId, least)}
    ), placed AS (
      INSERT INTO clearing_row (run_id, number, payee, total, place)
      SELECT ${runId}, ${number}, payee, credited, place FROM due
    ), assigned AS (
      UPDATE clearing_payee p SET assigned = p.credited FROM due WHERE p.run_id = ${runId} AND p.payee = due.payee
    )
    SELECT count(*)::int AS payees, coalesce(sum(missing), 0)::numeric(38,0) AS total FROM due`;
  await tx`UPDATE clearing_credited SET waits_since = NULL WHERE run_id = ${runId}`;
  return assigned ?? { payees: 0, total: 0n };
}

/** An epoch has become void, or is so no more: to each of its payees is assigned what its rows say that stand. */
export async function reassign(tx: Tx, runId: bigint, number: number): Promise<void> {
  await tx`
    UPDATE clearing_payee p SET assigned = coalesce((
      SELECT max(said.total) FROM clearing_row said JOIN clearing_epoch e ON e.run_id = said.run_id AND e.number = said.number
      WHERE said.run_id = p.run_id AND said.payee = p.payee AND NOT e.is_void), 0)
    FROM clearing_row r WHERE r.run_id = ${runId} AND r.number = ${number} AND p.run_id = r.run_id AND p.payee = r.payee`;
}

/** A demand has credited a payee, or did not after all. */
export async function countDemand(tx: Tx, runId: bigint, payee: string, by: 1 | -1): Promise<void> {
  await tx`
    UPDATE clearing_payee SET demands = demands + ${by} WHERE run_id = ${runId} AND payee = ${bytesOf(payee)}`;
}

/** What was credited before that moment may be in no epoch. */
export async function waitSince(tx: Tx, runId: bigint, at: number): Promise<void> {
  await tx`UPDATE clearing_credited SET waits_since = least(waits_since, ${at}::bigint) WHERE run_id = ${runId}`;
}
