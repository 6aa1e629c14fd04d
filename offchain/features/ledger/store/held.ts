import type { UnitCode } from "#offchain/core/unit.ts";
import { list } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { AccountName } from "../rules/transfer.ts";
import type { Holding } from "../service.ts";

/** The accounts whose names begin in one of these ways, by name and unit. */
export async function readHoldings(sql: Sql, prefixes: readonly string[]): Promise<Holding[]> {
  const patterns = prefixes.map((prefix) => `${prefix.replace(/[\\%_]/g, "\\$&")}%`);
  const rows = await sql<
    { name: AccountName; unit: UnitCode; balance: bigint; pending: bigint; incoming: bigint }[]
  >`
    SELECT name, unit, balance, pending, incoming FROM account
    WHERE name LIKE ANY(${list(patterns)}::text[]) ORDER BY name, unit`;
  return rows.map((row) => ({ ...row }));
}
