import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { lockNumbers } from "#offchain/platform/database/lockNumbers.ts";
import type { AccountName, LedgerOperation, Transfer } from "../rules/transfer.ts";
import type { Page } from "../service.ts";
import { selectTransfers, type TransferRow, toTransfer } from "./statements.ts";

/**
 * Brings the list of open holds up to date: takes in what was opened since the last time and is not resolved, and drops
 * what was resolved. Transfer ids rise in the order in which they became durable, so nothing is passed over.
 */
export async function noteHolds(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${lockNumbers.openHolds})`;
    await tx`DELETE FROM open_hold h WHERE EXISTS (SELECT FROM journal j WHERE j.transfer_id = h.transfer_id)`;
    const [head] = await tx<{ last_transfer: bigint }[]>`SELECT last_transfer FROM ledger_head`;
    const last = head?.last_transfer ?? 0n;
    await tx`
      INSERT INTO open_hold (transfer_id, debit, credit, expires_at)
      SELECT t.id, t.debit, t.credit, t.expires_at FROM transfer t, open_hold_head o
      WHERE t.id > o.noted_transfer AND t.id <= ${last} AND t.fee_of IS NULL
        AND NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = t.id)`;
    await tx`UPDATE open_hold_head SET noted_transfer = ${last}`;
  });
}

/** Voids for holds past their time, the longest overdue first. Each has its hold's own key, so that many may try. */
export async function expiredHolds(sql: Sql, now: number, limit: number): Promise<LedgerOperation[]> {
  const rows = await sql<{ transfer_id: bigint }[]>`
    SELECT h.transfer_id FROM open_hold h
    WHERE h.expires_at < ${now} AND NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = h.transfer_id)
    ORDER BY h.expires_at LIMIT ${limit}`;
  return rows.map(({ transfer_id }) => ({
    kind: "void",
    key: `expire:${transfer_id}`,
    transferId: transfer_id.toString(),
  }));
}

/** Unresolved holds of an account, on either side; newest first. */
export async function readPending(
  sql: Sql,
  query: {
    account: AccountName;
    unit?: UnitCode | undefined;
    cursor?: bigint | undefined;
    limit: number;
  },
): Promise<Page<Transfer>> {
  await noteHolds(sql);
  const rows = await sql<TransferRow[]>`
    ${selectTransfers(sql)}
    WHERE j.transfer_id IS NULL AND t.id IN (
      SELECT h.transfer_id FROM account a JOIN open_hold h ON h.debit = a.id OR h.credit = a.id
      WHERE a.name = ${query.account} ${query.unit ? sql`AND a.unit = ${query.unit}` : sql``}
        ${query.cursor === undefined ? sql`` : sql`AND h.transfer_id < ${query.cursor}`})
    ORDER BY t.id DESC LIMIT ${query.limit}`;
  const next = rows.length === query.limit ? (rows.at(-1)?.id.toString() ?? null) : null;
  return { items: rows.map(toTransfer), next };
}
