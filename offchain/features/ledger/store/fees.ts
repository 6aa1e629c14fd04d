import { type UnitCode, unitCodes } from "#offchain/core/unit.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type FeeTerms, freeTerms } from "../rules/fee.ts";

/** Every unit's terms; a unit without any is free. */
export async function readFees(sql: Sql): Promise<FeeTerms[]> {
  const rows = await sql<
    { unit: UnitCode; fixed: bigint; rate_bps: number; minimum: bigint; maximum: bigint | null }[]
  >`SELECT unit, fixed, rate_bps, minimum, maximum FROM ledger_fee`;
  const set = new Map(rows.map(({ rate_bps, ...row }) => [row.unit, { ...row, rateBps: rate_bps }]));
  return unitCodes.map((unit) => set.get(unit) ?? freeTerms(unit));
}

export async function saveFees(sql: Sql, terms: FeeTerms, now: number): Promise<void> {
  const { unit, fixed, rateBps, minimum, maximum } = terms;
  await sql.begin(async (tx) => {
    await tx`
    INSERT INTO ledger_fee (unit, fixed, rate_bps, minimum, maximum, updated_at)
    VALUES (${unit}, ${fixed.toString()}, ${rateBps}, ${minimum.toString()}, ${maximum?.toString() ?? null}, ${now})
    ON CONFLICT (unit) DO UPDATE SET fixed = excluded.fixed, rate_bps = excluded.rate_bps,
      minimum = excluded.minimum, maximum = excluded.maximum, updated_at = excluded.updated_at`;
    await tx`SELECT ledger_note('fee ' || unit, fee_rules(ledger_fee), ${now}) FROM ledger_fee WHERE unit = ${unit}`;
  });
}
