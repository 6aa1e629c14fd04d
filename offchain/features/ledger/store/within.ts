import type { UnitCode } from "#offchain/core/unit.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type { AccountName } from "../rules/transfer.ts";
import type { Balance, BalanceOf, OwedAccount, UnitSum } from "../service.ts";

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
