import type { UnitCode } from "#offchain/core/unit.ts";
import { list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Books } from "../books/books.ts";
import { halfDigest } from "../books/digest.ts";
import type { AccountState, TransferState } from "../books/state.ts";
import type { Wanted } from "../books/wanted.ts";
import type { Limits } from "../rules/budget.ts";
import type { AccountName, Transfer } from "../rules/transfer.ts";

/** Puts into the books what is wanted and exists, and marks accounts that do not. */
export async function load(sql: Sql | Tx, books: Books, wanted: Wanted): Promise<void> {
  const uses = await loadKeys(sql, [...wanted.keys]);
  const ids = [...wanted.transfers, ...uses.map(({ transfer_id }) => Number(transfer_id))].filter(
    (id) => !books.transferOf(id),
  );
  const rows = await loadTransfers(sql, ids);
  const parties = rows.flatMap(({ debit, credit }) => [debit, credit]);
  const byId = await loadAccounts(sql, books, [...wanted.accounts.values()], parties);
  for (const { name, unit } of wanted.accounts.values()) books.addAbsent(name, unit);
  // A fee has the id after its transfer's, so it is there when its transfer wants it.
  for (const row of rows.toSorted((a, b) => Number(b.id - a.id)))
    if (!books.transferOf(Number(row.id))) books.addTransfer(transferState(books, row, byId));
  const keys = new Map([...wanted.keys].map((key) => [halfDigest(key), key]));
  for (const { digest, request, transfer_id } of uses) {
    const state = books.transferOf(Number(transfer_id));
    const key = keys.get(digest);
    if (state && key !== undefined) books.addKey(key, request, state);
  }
}

interface KeyRow {
  digest: string;
  request: string;
  transfer_id: bigint;
}

async function loadKeys(sql: Sql | Tx, keys: readonly string[]): Promise<KeyRow[]> {
  if (keys.length === 0) return [];
  return await sql<KeyRow[]>`
    SELECT replace(digest::text, '-', '') AS digest, replace(request::text, '-', '') AS request, transfer_id
    FROM ledger_key WHERE digest = ANY(${keys.map(halfDigest)}::text[]::uuid[])`;
}

interface TransferRow {
  id: bigint;
  key: string;
  debit: bigint;
  credit: bigint;
  amount: bigint;
  reference: string | null;
  memo: string | null;
  metadata: string | null;
  fee: bigint | null;
  fee_of: bigint | null;
  reverses: bigint | null;
  created_at: bigint;
  expires_at: bigint | null;
  resolved_at: bigint | null;
  posted: bigint | null;
  reversed: bigint;
}

async function loadTransfers(sql: Sql | Tx, ids: readonly number[]): Promise<TransferRow[]> {
  if (ids.length === 0) return [];
  const rows = await transfersById(sql, ids);
  const fees = rows.flatMap(({ id, fee }) => (fee === null ? [] : Number(id) + 1));
  return fees.length === 0 ? rows : [...rows, ...(await transfersById(sql, fees))];
}

async function transfersById(sql: Sql | Tx, ids: readonly number[]): Promise<TransferRow[]> {
  return await sql<TransferRow[]>`
    SELECT t.*, j.resolved_at, nullif(j.amount, 0) AS posted,
           (SELECT coalesce(sum(amount), 0) FROM transfer r WHERE r.reverses = t.id)::numeric(38,0) AS reversed
    FROM transfer t LEFT JOIN journal j ON j.transfer_id = t.id WHERE t.id = ANY(${list([...new Set(ids)])}::bigint[])`;
}

interface AccountRow {
  id: bigint;
  name: AccountName;
  unit: UnitCode;
  external: boolean;
  balance: bigint;
  pending: bigint;
  incoming: bigint;
  entries: bigint;
  suspended_at: bigint | null;
  limit_transaction: bigint | null;
  limit_hourly: bigint | null;
  limit_daily: bigint | null;
  limit_weekly: bigint | null;
  limit_monthly: bigint | null;
  spent_hourly: bigint;
  spent_daily: bigint;
  spent_weekly: bigint;
  spent_monthly: bigint;
  charged_at: bigint;
}

async function loadAccounts(
  sql: Sql | Tx,
  books: Books,
  named: readonly { name: AccountName; unit: UnitCode }[],
  ids: readonly bigint[],
): Promise<Map<bigint, AccountState>> {
  if (named.length === 0 && ids.length === 0) return new Map();
  const rows = await sql<AccountRow[]>`
    SELECT a.* FROM account a WHERE a.id = ANY(${list([...new Set(ids)])}::bigint[])
    UNION
    SELECT a.* FROM unnest(${named.map(({ name }) => name)}::text[], ${named.map(({ unit }) => unit)}::text[]) AS w(name, unit)
    JOIN account a ON a.name = w.name AND a.unit = w.unit`;
  const byId = new Map<bigint, AccountState>();
  for (const row of rows) {
    const known = books.accountOf(row.name, row.unit);
    const state = known ?? accountState(row);
    if (!known) books.addAccount(state);
    byId.set(row.id, state);
  }
  return byId;
}

function accountState(row: AccountRow): AccountState {
  return {
    id: Number(row.id),
    name: row.name,
    unit: row.unit,
    external: row.external,
    balance: row.balance,
    pending: row.pending,
    incoming: row.incoming,
    entries: Number(row.entries),
    suspended: row.suspended_at !== null,
    limits: limitsOf(row),
    spending: {
      hourly: row.spent_hourly,
      daily: row.spent_daily,
      weekly: row.spent_weekly,
      monthly: row.spent_monthly,
      chargedAt: Number(row.charged_at),
    },
    group: 0,
  };
}

export type LimitColumns = Pick<
  AccountRow,
  "limit_transaction" | "limit_hourly" | "limit_daily" | "limit_weekly" | "limit_monthly"
>;

/** The limits that are set; null when there is none. */
export function limitsOf(row: LimitColumns): Limits | null {
  const set = Object.entries({
    transaction: row.limit_transaction,
    hourly: row.limit_hourly,
    daily: row.limit_daily,
    weekly: row.limit_weekly,
    monthly: row.limit_monthly,
  }).filter(([, limit]) => limit !== null);
  return set.length === 0 ? null : (Object.fromEntries(set) as Limits);
}

function transferState(books: Books, row: TransferRow, accounts: Map<bigint, AccountState>): TransferState {
  const debit = accounts.get(row.debit);
  const credit = accounts.get(row.credit);
  if (!debit || !credit) throw new Error(`transfer ${row.id} has accounts that do not exist`);
  const opened: Transfer = {
    id: row.id.toString(),
    key: row.key,
    debit: debit.name,
    credit: credit.name,
    unit: debit.unit,
    amount: row.amount,
    state: "pending",
    reference: row.reference,
    memo: row.memo,
    metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as Record<string, string>),
    fee: row.fee,
    reverses: row.reverses?.toString() ?? null,
    createdAt: Number(row.created_at),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    resolvedAt: null,
    postedAmount: null,
  };
  const current: Transfer =
    row.resolved_at === null
      ? opened
      : {
          ...opened,
          state: row.posted === null ? "voided" : "posted",
          resolvedAt: Number(row.resolved_at),
          postedAmount: row.posted,
        };
  return {
    id: Number(row.id),
    debit,
    credit,
    opened,
    current,
    fee: row.fee === null ? null : (books.transferOf(Number(row.id) + 1) ?? null),
    feeOf: row.fee_of === null ? null : Number(row.fee_of),
    reversed: row.reversed,
    group: 0,
    held: null,
  };
}
