import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { CreditRow } from "../rules.ts";

/**
 * Gives an epoch's next rows their places, for a call, while nobody is credited. Places that no call has brought to the
 * chain are free again. What a payee has demanded meanwhile it is not given once more, and what a row has left is not sent
 * if it is less than the least that it may credit: that is owed still, and waits for a later epoch.
 * @param from how many rows the chain has
 */
export async function placeRows(
  tx: Tx,
  runId: bigint,
  number: number,
  { from, limit, least }: { from: number; limit: number; least: bigint },
): Promise<{ rows: CreditRow[]; isLast: boolean }> {
  const ofEpoch = tx`r.run_id = ${runId} AND r.number = ${number}`;
  await tx`UPDATE clearing_row r SET place = NULL WHERE ${ofEpoch} AND r.place >= ${from}`;
  await tx`
    WITH beyond AS (
      SELECT r.payee, least(r.amount, p.assigned - p.credited) AS amount
      FROM clearing_row r JOIN clearing_payee p ON p.run_id = r.run_id AND p.payee = r.payee
      WHERE ${ofEpoch} AND r.place IS NULL AND p.assigned > p.credited
    ), lessened AS (
      UPDATE clearing_row r SET amount = r.amount - b.amount FROM beyond b WHERE ${ofEpoch} AND r.payee = b.payee
    )
    UPDATE clearing_payee p SET assigned = p.assigned - b.amount FROM beyond b
    WHERE p.run_id = ${runId} AND p.payee = b.payee`;
  await tx`
    WITH dropped AS (
      DELETE FROM clearing_row r WHERE ${ofEpoch} AND r.place IS NULL AND r.amount < ${least.toString()}::numeric
      RETURNING r.payee, r.amount
    )
    UPDATE clearing_payee p SET assigned = p.assigned - d.amount FROM dropped d
    WHERE p.run_id = ${runId} AND p.payee = d.payee`;
  const placed = await tx<{ payee: Uint8Array; amount: bigint; place: number }[]>`
    WITH next AS (
      SELECT r.payee, ${from} - 1 + row_number() OVER (ORDER BY r.payee) AS place
      FROM clearing_row r WHERE ${ofEpoch} AND r.place IS NULL ORDER BY r.payee LIMIT ${limit}
    )
    UPDATE clearing_row r SET place = n.place FROM next n WHERE ${ofEpoch} AND r.payee = n.payee
    RETURNING r.payee, r.amount, r.place`;
  const [counted] = await tx<{ rows: number }[]>`
    UPDATE clearing_epoch e SET payees = sum.rows, total = sum.total FROM (
      SELECT count(*)::int AS rows, coalesce(sum(r.amount), 0) AS total FROM clearing_row r WHERE ${ofEpoch}
    ) sum WHERE e.run_id = ${runId} AND e.number = ${number} RETURNING sum.rows`;
  return {
    rows: placed
      .toSorted((one, other) => one.place - other.place)
      .map(({ payee, amount }) => ({ payee: hexOf(payee), amount })),
    isLast: from + placed.length === counted?.rows,
  };
}

/** The payees of an epoch's rows in their order, from a place on. */
export async function payeesFrom(
  sql: Sql,
  runId: bigint,
  number: number,
  { from, limit }: { from: number; limit: number },
): Promise<`0x${string}`[]> {
  const rows = await sql<{ payee: Uint8Array }[]>`
    SELECT payee FROM clearing_row WHERE run_id = ${runId} AND number = ${number} AND place >= ${from}
    ORDER BY place LIMIT ${limit}`;
  return rows.map(({ payee }) => hexOf(payee));
}
