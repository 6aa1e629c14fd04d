import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { AccountName } from "../rules/transfer.ts";
import type {
  Balance,
  BalanceOf,
  FundedAccount,
  FundedQuery,
  Hold,
  OwedAccount,
  UnitSum,
} from "../service.ts";

/** Looks accounts up inside the caller's transaction; an account that never moved holds nothing. */
export async function balancesWithin(tx: Tx, names: readonly AccountName[]): Promise<BalanceOf> {
  const rows = await tx<({ name: string; unit: string } & Balance)[]>`
    SELECT name, unit, balance, pending FROM account WHERE name = ANY(${[...names]}::text[])`;
  const found = new Map(rows.map((row) => [`${row.name} ${row.unit}`, row]));
  return (name, unit) => found.get(`${name} ${unit}`) ?? { balance: 0n, pending: 0n };
}

/** What is kept with the accounts, added up: not one entry is read. */
export async function sumsWithin(tx: Tx): Promise<UnitSum[]> {
  const rows = await tx<UnitSum[]>`
    SELECT unit, sum(balance)::numeric(38,0) AS sum, count(*)::int AS accounts FROM account GROUP BY unit ORDER BY unit`;
  return [...rows];
}

/** Every account of these units that holds something and does not stand for the outside world. */
export const owedWithin = (tx: Tx, units: readonly UnitCode[]): Promise<OwedAccount[]> =>
  tx<OwedAccount[]>`
    SELECT name, unit, balance, pending FROM account
    WHERE NOT external AND balance > 0 AND unit = ANY(${[...units]})`;

/** Holds by the id of their transfer; an id that is unknown is absent. */
export async function holdsWithin(tx: Tx, transferIds: readonly string[]): Promise<Map<string, Hold>> {
  if (transferIds.length === 0) return new Map();
  const rows = await tx<({ id: bigint } & Hold)[]>`
    SELECT t.id, t.amount, NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = t.id) AS "isOpen"
    FROM transfer t WHERE t.id = ANY(${[...transferIds]}::bigint[])`;
  return new Map(rows.map(({ id, amount, isOpen }) => [id.toString(), { amount, isOpen }]));
}

/** Accounts with a balance above zero, in the order of their ids. */
export const fundedWithin = (
  sql: Sql | Tx,
  { prefix, units, after = 0n, limit }: FundedQuery,
): Promise<FundedAccount[]> =>
  sql<FundedAccount[]>`
    SELECT id, name, unit, balance, entries FROM account
    WHERE unit = ANY(${[...units]}::text[]) AND balance > 0 AND starts_with(name, ${prefix}) AND id > ${after}
    ORDER BY id LIMIT ${limit ?? null}`;
