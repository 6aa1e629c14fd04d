import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import type { Tx } from "#offchain/platform/database/database.ts";

export interface Balance {
  balance: bigint;
  pending: bigint;
}

/** Looks accounts up inside the transaction; an account that never moved holds nothing. */
export async function balancesOf(
  tx: Tx,
  names: readonly AccountName[],
): Promise<(name: AccountName, unit: UnitCode) => Balance> {
  const rows = await tx<({ name: string; unit: string } & Balance)[]>`
    SELECT name, unit, balance, pending FROM account WHERE name = ANY(${[...names]}::text[])`;
  const found = new Map(rows.map((row) => [`${row.name} ${row.unit}`, row]));
  return (name, unit) => found.get(`${name} ${unit}`) ?? { balance: 0n, pending: 0n };
}
