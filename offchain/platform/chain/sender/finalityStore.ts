import type { Hex } from "viem";
import { bytesOf, list } from "../../database/bytes.ts";
import type { Sql } from "../../database/database.ts";

/** No reorganisation is expected to move these any more. @returns those that were not final before, so that each is told once */
export async function markFinal(sql: Sql, ids: readonly bigint[], now: number): Promise<Set<bigint>> {
  const rows = await sql<{ id: bigint }[]>`
    UPDATE chain_transaction SET final = true, updated_at = ${now}
    WHERE id = ANY(${list(ids)}::bigint[]) AND state = 'mined' AND NOT final RETURNING id`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Transactions whose nonce the chain has not used (any more): a reorg dropped them, or the foreign one that had replaced
 * them, so they are in flight again. Of what was final only a chain that is past its block is believed: another provider
 * may only be behind.
 */
export async function reopenDropped(
  sql: Sql,
  runId: bigint,
  sender: Hex,
  { nextNonce, head }: { nextNonce: number; head: bigint },
  now: number,
): Promise<void> {
  await sql`
    UPDATE chain_transaction
    SET state = 'sent', final = false, hash = NULL, success = NULL, block_number = NULL, block_hash = NULL,
        gas_used = NULL, gas_price = NULL, updated_at = ${now}
    WHERE run_id = ${runId} AND sender = ${bytesOf(sender)} AND state IN ('mined', 'replaced') AND nonce >= ${nextNonce}
      AND (NOT final OR block_number <= ${head})`;
}
