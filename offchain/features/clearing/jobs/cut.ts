import type { HubBooks } from "#offchain/features/payments/service.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { isAnyDue } from "../store/credits.ts";
import { insertEpoch } from "../store/epochs.ts";

/**
 * Fixes the next epoch while no payment is being booked: what a receipt that names it says is in it, and every later
 * receipt names a later one. It has what changed since the last one alone.
 * @param least the least that a row may credit, base units: what is owed below it waits until it is more
 * @returns its number; null when nothing is due
 */
export async function cutEpoch(
  { sql, books }: { sql: Sql; books: Pick<HubBooks, "lock"> },
  runId: bigint,
  least: bigint,
  now: number,
): Promise<number | null> {
  if (!(await isAnyDue(sql, runId, least))) return null;
  return await sql.begin(async (tx) => {
    await books.lock(tx, runId);
    return insertEpoch(tx, runId, least, now);
  });
}
