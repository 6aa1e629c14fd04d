import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Account, AccountName, Metadata, Transfer } from "../rules/transfer.ts";
import type { Entry, EntryQuery, TrialBalance } from "../service.ts";
import { sumsWithin } from "./within.ts";

/** Reading the ledger: accounts, transfers, statements and the trial balance. */

export async function readAccounts(sql: Sql, names: readonly AccountName[]): Promise<Account[]> {
  const rows = await sql<
    {
      name: AccountName;
      unit: UnitCode;
      balance: bigint;
      pending: bigint;
      incoming: bigint;
      suspended_at: bigint | null;
    }[]
  >`SELECT name, unit, balance, pending, incoming, suspended_at FROM account WHERE name = ANY(${[...names]}::text[]) ORDER BY name, unit`;
  return rows.map(({ name, unit, balance, pending, incoming, suspended_at }) => ({
    name,
    unit,
    balance,
    pending,
    incoming,
    available: balance - pending,
    suspended: suspended_at !== null,
  }));
}

export async function readTransfer(sql: Sql, id: string): Promise<Transfer | null> {
  if (!/^\d{1,15}$/.test(id)) return null;
  const [row] = await sql<TransferRow[]>`${selectTransfers(sql)} WHERE t.id = ${id}`;
  return row ? toTransfer(row) : null;
}

/** The columns of {@link TransferRow}: transfer t, accounts d and c, journal j. */
export const selectTransfers = (sql: Sql) => sql`
  SELECT t.*, d.name AS debit_name, c.name AS credit_name, j.amount AS moved, j.resolved_at
  FROM transfer t JOIN account d ON d.id = t.debit JOIN account c ON c.id = t.credit
  LEFT JOIN journal j ON j.transfer_id = t.id`;

export interface TransferRow {
  id: bigint;
  key: string;
  debit_name: AccountName;
  credit_name: AccountName;
  unit: UnitCode;
  amount: bigint;
  moved: bigint | null;
  reference: string | null;
  memo: string | null;
  metadata: string | null;
  fee: bigint | null;
  reverses: bigint | null;
  created_at: bigint;
  expires_at: bigint | null;
  resolved_at: bigint | null;
}

export function toTransfer(row: TransferRow): Transfer {
  return {
    id: row.id.toString(),
    key: row.key,
    debit: row.debit_name,
    credit: row.credit_name,
    unit: row.unit,
    amount: row.amount,
    state: row.moved === null ? "pending" : row.moved > 0n ? "posted" : "voided",
    reference: row.reference,
    memo: row.memo,
    metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as Metadata),
    fee: row.fee,
    reverses: row.reverses?.toString() ?? null,
    createdAt: Number(row.created_at),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    resolvedAt: row.resolved_at === null ? null : Number(row.resolved_at),
    postedAmount: row.moved === null || row.moved === 0n ? null : row.moved,
  };
}

/** One account's entries, newest first. `before`: the number of the last entry already seen; times are epoch ms, the last excluded. */
export async function readEntries(sql: Sql, query: EntryQuery): Promise<Entry[]> {
  const rows = await sql<
    {
      number: bigint;
      transfer_id: bigint;
      amount: bigint;
      balance_after: bigint;
      posted_at: bigint;
      reference: string | null;
      memo: string | null;
      metadata: string | null;
      counterparty: AccountName;
    }[]
  >`
    SELECT e.*, t.reference, t.memo, t.metadata, o.name AS counterparty
    FROM (
      SELECT e.* FROM account a JOIN entry e ON e.account = a.id
      WHERE a.name = ${query.account} AND a.unit = ${query.unit}
        ${query.before === undefined ? sql`` : sql`AND e.number < ${query.before}`}
        ${query.from === undefined ? sql`` : sql`AND e.posted_at >= ${query.from}`}
        ${query.to === undefined ? sql`` : sql`AND e.posted_at < ${query.to}`}
      ORDER BY e.number DESC LIMIT ${query.limit}
    ) e JOIN transfer t ON t.id = e.transfer_id JOIN account o ON o.id = e.counterparty
    ORDER BY e.number DESC`;
  return rows.map((row) => ({
    number: row.number,
    transferId: row.transfer_id.toString(),
    account: query.account,
    unit: query.unit,
    amount: row.amount,
    balanceAfter: row.balance_after,
    postedAt: Number(row.posted_at),
    reference: row.reference,
    memo: row.memo,
    metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as Metadata),
    counterparty: row.counterparty,
  }));
}

/** One consistent look at the whole ledger: every sum is of the same moment. */
export async function readTrialBalance(sql: Sql): Promise<TrialBalance> {
  return sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const sums = await sumsWithin(tx);
    const mismatches = await tx<TrialBalance["mismatches"]>`
      SELECT a.name AS account, a.unit, a.balance, coalesce(e.sum, 0)::numeric(38,0) AS entries,
             a.pending, coalesce(h.sum, 0)::numeric(38,0) AS held
      FROM account a
      LEFT JOIN (SELECT account, sum(amount) FROM entry GROUP BY account) e ON e.account = a.id
      LEFT JOIN (SELECT debit, sum(amount) FROM transfer t
                 WHERE NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = t.id) GROUP BY debit) h ON h.debit = a.id
      WHERE a.balance <> coalesce(e.sum, 0) OR a.pending <> coalesce(h.sum, 0)
      ORDER BY a.id LIMIT 100`;
    const balanced = mismatches.length === 0 && sums.every(({ sum }) => sum === 0n);
    return { balanced, sums, mismatches: [...mismatches] };
  });
}
