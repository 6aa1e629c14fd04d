import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { CreditRow } from "../rules.ts";

/** An epoch's rows in their order, from a place on. They are as they were cut. */
export async function rowsFrom(
  sql: Sql,
  runId: bigint,
  number: number,
  { from, limit }: { from: number; limit: number },
): Promise<CreditRow[]> {
  const rows = await sql<{ payee: Uint8Array; total: bigint }[]>`
    SELECT payee, total FROM clearing_row WHERE run_id = ${runId} AND number = ${number} AND place >= ${from}
    ORDER BY place LIMIT ${limit}`;
  return rows.map(({ payee, total }) => ({ payee: hexOf(payee), total }));
}
