import type { HubBooks } from "#offchain/features/payments/service.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { packRows, rootHashOf } from "./rules.ts";
import { allCredits } from "./store/credits.ts";
import { insertRoot, nextRoot, saveRootHash, standingRoot } from "./store/roots.ts";

/**
 * Fixes the rows of the next root while no payment is being booked: a receipt that names this root is in it, and every
 * later receipt names a later one. The tree is computed afterwards, so that the intake does not wait for it.
 * @returns its number; null when no payee has been credited, or its rows are those of the root before
 */
export async function cutRoot(
  { sql, books }: { sql: Sql; books: Pick<HubBooks, "lock"> },
  runId: bigint,
  now: number,
): Promise<number | null> {
  const cut = await sql.begin(async (tx) => {
    await books.lock(tx, runId);
    const rows = await allCredits(tx, runId);
    const packed = packRows(rows);
    const standing = await standingRoot(tx, runId);
    if (rows.length === 0 || standing?.rows === hexOf(packed)) return null;
    const number = await nextRoot(tx, runId);
    const total = rows.reduce((sum, { cumulative }) => sum + cumulative, 0n);
    await insertRoot(tx, runId, { number, rows: packed, total }, now);
    return { number, rows };
  });
  if (!cut) return null;
  // After a crash before this, the event of its posting brings the hash.
  await saveRootHash(sql, runId, cut.number, rootHashOf(cut.rows));
  return cut.number;
}
