import { bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { CreditRow } from "../rules.ts";

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

/** How many were ever credited; there are never many more than a root can hold. */
export async function countPayees(tx: Tx, runId: bigint): Promise<number> {
  const [row] = await tx<{ count: number }[]>`
    SELECT count(*)::int AS count FROM clearing_payee WHERE run_id = ${runId}`;
  return row?.count ?? 0;
}

/** All that each payee was ever credited, ascending by address. */
export async function allCredits(sql: Sql | Tx, runId: bigint): Promise<CreditRow[]> {
  const rows = await sql<{ payee: Uint8Array; credited: bigint }[]>`
    SELECT payee, credited FROM clearing_payee WHERE run_id = ${runId} ORDER BY payee`;
  return rows.map(({ payee, credited }) => ({ payee: hexOf(payee), cumulative: credited }));
}

/** What payees were credited in all, and since when something of it is in no root; null when all of it is. */
export async function creditStanding(
  sql: Sql | Tx,
  runId: bigint,
): Promise<{ credited: bigint; waitsSince: number | null }> {
  const [row] = await sql<{ credited: bigint; total: bigint; waits_since: bigint }[]>`
    SELECT c.credited, coalesce(last.total, 0)::numeric(38,0) AS total, coalesce(c.waits_since, last.cut_at, 0) AS waits_since
    FROM clearing_credited c LEFT JOIN LATERAL (
      SELECT total, cut_at FROM clearing_root WHERE run_id = c.run_id AND state <> 'void' ORDER BY number DESC LIMIT 1
    ) last ON true WHERE c.run_id = ${runId}`;
  const { credited = 0n, total = 0n, waits_since = 0n } = row ?? {};
  return { credited, waitsSince: credited > total ? Number(waits_since) : null };
}
