import type { Entry, TrialBalance } from "#offchain/actions/ledger/port.ts";
import type { Account, AccountName, Transfer } from "#offchain/domain/ledger.ts";
import type { UnitCode } from "#offchain/domain/unit.ts";
import type { Sql } from "./database.ts";

/** Reading the ledger: accounts, transfers, statements and the trial balance. */

export async function readAccounts(sql: Sql, names: readonly AccountName[]): Promise<Account[]> {
  const rows = await sql<
    { name: AccountName; unit: UnitCode; balance: bigint; pending: bigint; suspended_at: bigint | null }[]
  >`SELECT name, unit, balance, pending, suspended_at FROM account WHERE name = ANY(${[...names]}::text[]) ORDER BY name, unit`;
  return rows.map(({ name, unit, balance, pending, suspended_at }) => ({
    name,
    unit,
    balance,
    pending,
    available: balance - pending,
    suspended: suspended_at !== null,
  }));
}

export async function readTransfer(sql: Sql, id: string): Promise<Transfer | null> {
  if (!/^\d{1,18}$/.test(id)) return null;
  const [row] = await sql<
    {
      key: string;
      debit: AccountName;
      credit: AccountName;
      unit: UnitCode;
      amount: bigint;
      state: Transfer["state"];
      posted_amount: bigint | null;
      reference: string | null;
      memo: string | null;
      created_at: bigint;
      expires_at: bigint | null;
      resolved_at: bigint | null;
    }[]
  >`
    SELECT t.*, d.name AS debit, c.name AS credit, d.unit
    FROM transfer t JOIN account d ON d.id = t.debit JOIN account c ON c.id = t.credit WHERE t.id = ${id}`;
  if (!row) return null;
  return {
    id,
    key: row.key,
    debit: row.debit,
    credit: row.credit,
    unit: row.unit,
    amount: row.amount,
    state: row.state,
    reference: row.reference,
    memo: row.memo,
    createdAt: Number(row.created_at),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    resolvedAt: row.resolved_at === null ? null : Number(row.resolved_at),
    postedAmount: row.posted_amount,
  };
}

export async function readEntries(
  sql: Sql,
  query: { account: AccountName; unit?: UnitCode; before?: bigint; limit: number },
): Promise<Entry[]> {
  const rows = await sql<
    {
      id: bigint;
      transfer_id: bigint;
      name: AccountName;
      unit: UnitCode;
      amount: bigint;
      balance_after: bigint;
      posted_at: bigint;
      reference: string | null;
      memo: string | null;
      counterparty: AccountName;
    }[]
  >`
    SELECT e.*, a.name, a.unit, t.reference, t.memo, o.name AS counterparty
    FROM account a JOIN entry e ON e.account = a.id JOIN transfer t ON t.id = e.transfer_id
    JOIN account o ON o.id = CASE WHEN t.debit = a.id THEN t.credit ELSE t.debit END
    WHERE a.name = ${query.account} ${query.unit ? sql`AND a.unit = ${query.unit}` : sql``}
      ${query.before === undefined ? sql`` : sql`AND e.id < ${query.before}`}
    ORDER BY e.id DESC LIMIT ${query.limit}`;
  return rows.map((row) => ({
    id: row.id,
    transferId: row.transfer_id.toString(),
    account: row.name,
    unit: row.unit,
    amount: row.amount,
    balanceAfter: row.balance_after,
    postedAt: Number(row.posted_at),
    reference: row.reference,
    memo: row.memo,
    counterparty: row.counterparty,
  }));
}

/** One consistent look at the whole ledger: every sum is of the same moment. */
export async function readTrialBalance(sql: Sql): Promise<TrialBalance> {
  return sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const sums = await tx<{ unit: UnitCode; sum: bigint; accounts: number }[]>`
      SELECT unit, sum(balance)::numeric(38,0) AS sum, count(*)::int AS accounts FROM account GROUP BY unit ORDER BY unit`;
    const mismatches = await tx<TrialBalance["mismatches"]>`
      SELECT a.name AS account, a.unit, a.balance, coalesce(e.sum, 0)::numeric(38,0) AS entries,
             a.pending, coalesce(h.sum, 0)::numeric(38,0) AS held
      FROM account a
      LEFT JOIN (SELECT account, sum(amount) FROM entry GROUP BY account) e ON e.account = a.id
      LEFT JOIN (SELECT debit, sum(amount) FROM transfer WHERE state = 'pending' GROUP BY debit) h ON h.debit = a.id
      WHERE a.balance <> coalesce(e.sum, 0) OR a.pending <> coalesce(h.sum, 0)
      ORDER BY a.id LIMIT 100`;
    const balanced = mismatches.length === 0 && sums.every(({ sum }) => sum === 0n);
    return { balanced, sums: [...sums], mismatches: [...mismatches] };
  }) as Promise<TrialBalance>;
}
