import { maxAmount, type UnitCode } from "#offchain/core/unit.ts";
import { list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { accountUnknown } from "../books/refusals.ts";
import { allowances, type BudgetPeriod, budgetPeriods, windowsAt } from "../rules/budget.ts";
import { type AccountName, accountKind, externalKinds } from "../rules/transfer.ts";
import type { Standing } from "../service.ts";
import { type LimitColumns, limitsOf } from "./load.ts";

/** Opens accounts that nothing has moved yet; those that exist stay as they are. */
export async function openAccounts(
  sql: Sql,
  accounts: readonly { name: AccountName; unit: UnitCode }[],
  now: number,
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT ledger_take()`;
    const opened = await tx`
      INSERT INTO account (id, name, unit, external, opened_at)
      SELECT h.last_account + row_number() OVER (ORDER BY w.name, w.unit), w.name, w.unit, w.external, ${now}::bigint
      FROM ledger_head h, (
        SELECT DISTINCT * FROM unnest(${accounts.map(({ name }) => name)}::text[], ${accounts.map(({ unit }) => unit)}::text[],
          ${list(accounts.map(({ name }) => externalKinds.has(accountKind(name))))}::text[]::boolean[]) AS u(name, unit, external)
      ) w
      WHERE NOT EXISTS (SELECT FROM account a WHERE a.name = w.name AND a.unit = w.unit)`;
    if (opened.count > 0)
      await tx`UPDATE ledger_head SET version = version + 1, last_account = last_account + ${opened.count}`;
  });
}

interface StandingRow extends LimitColumns {
  name: AccountName;
  unit: UnitCode;
  balance: bigint;
  pending: bigint;
  incoming: bigint;
  suspended_at: bigint | null;
  opened_at: bigint;
  spent_hourly: bigint;
  spent_daily: bigint;
  spent_weekly: bigint;
  spent_monthly: bigint;
  charged_at: bigint;
}

export async function readStandings(
  sql: Sql,
  name: AccountName,
  unit: UnitCode | undefined,
  now: number,
): Promise<Standing[]> {
  const rows = await sql<StandingRow[]>`
    SELECT * FROM account WHERE name = ${name} ${unit ? sql`AND unit = ${unit}` : sql``} ORDER BY unit`;
  return rows.map((row) => toStanding(row, now));
}

function toStanding(row: StandingRow, now: number): Standing {
  const spending = {
    hourly: row.spent_hourly,
    daily: row.spent_daily,
    weekly: row.spent_weekly,
    monthly: row.spent_monthly,
    chargedAt: Number(row.charged_at),
  };
  return {
    name: row.name,
    unit: row.unit,
    balance: row.balance,
    pending: row.pending,
    incoming: row.incoming,
    available: row.balance - row.pending,
    suspended: row.suspended_at !== null,
    openedAt: Number(row.opened_at),
    limits: allowances(limitsOf(row) ?? {}, spending, windowsAt(now)),
  };
}

/** The balance after the last entry of that millisecond or before: two steps down an index. */
export async function readBalanceAt(
  sql: Sql,
  name: AccountName,
  unit: UnitCode,
  at: number,
): Promise<bigint> {
  const [account] = await sql<{ id: bigint; entries: bigint }[]>`
    SELECT id, entries FROM account WHERE name = ${name} AND unit = ${unit}`;
  if (!account) throw accountUnknown({ name, unit });
  // Entries' times rise with their numbers, so the last one in time is found by halving.
  let [low, high, balance] = [0n, account.entries, 0n];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    const [entry] = await sql<{ posted_at: bigint; balance_after: bigint }[]>`
      SELECT posted_at, balance_after FROM entry WHERE account = ${account.id} AND number = ${middle}`;
    if (entry && entry.posted_at <= BigInt(at)) [low, balance] = [middle, entry.balance_after];
    else high = middle - 1n;
  }
  return balance;
}

/** Sets the limits that are named; null takes one away. */
export async function saveLimits(
  sql: Sql,
  account: { name: AccountName; unit: UnitCode },
  limits: Partial<Record<BudgetPeriod, bigint | null>>,
  now: number,
): Promise<Standing> {
  const set = budgetPeriods.flatMap((period) => {
    const limit = limits[period];
    if (limit === undefined) return [];
    return [[`limit_${period}`, limit === null ? null : min(limit, maxAmount).toString()] as const];
  });
  await sql.begin(async (tx) => {
    await tx`SELECT ledger_take()`;
    if (set.length === 0) return;
    await tx`UPDATE account SET ${tx(Object.fromEntries(set))} WHERE name = ${account.name} AND unit = ${account.unit}`;
    await noteRules(tx, account.name, now);
  });
  const [standing] = await readStandings(sql, account.name, account.unit, now);
  if (!standing) throw accountUnknown(account);
  return standing;
}

/** Notes what now stands of the accounts of that name, so that a change behind the ledger's back is seen. */
async function noteRules(tx: Tx, name: AccountName, now: number): Promise<void> {
  await tx`
    SELECT ledger_note('account ' || unit || ' ' || name, account_rules(account), ${now})
    FROM account WHERE name = ${name} ORDER BY unit`;
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

export async function saveSuspension(
  sql: Sql,
  name: AccountName,
  isSuspended: boolean,
  now: number,
): Promise<number> {
  return (await sql.begin(async (tx) => {
    await tx`SELECT ledger_take()`;
    const { count } = await tx`
      UPDATE account SET suspended_at = ${isSuspended ? now : null} WHERE name = ${name}`;
    if (count === 0) throw accountUnknown({ name, unit: "any unit" });
    await noteRules(tx, name, now);
    return count;
  })) as number;
}
