import type { Hex } from "viem";
import { bytesOf, hexOf, list } from "../../database/bytes.ts";
import type { Sql, Tx } from "../../database/database.ts";

/** One event of one contract that a chain run watches. */
export interface Watch {
  /** The address and the first topic, one after the other, lower case. */
  readonly key: Hex;
  /** Its events up to this block are stored; null: it goes with the chain run's checkpoint. */
  readonly indexedTo: number | null;
}

/** What the chain run watches, in no order; nothing for a chain run that is older than this record. */
export async function watchesOf(sql: Sql | Tx, runId: bigint): Promise<Watch[]> {
  const rows = await sql<{ key: Uint8Array; indexed_to: bigint | null }[]>`
    SELECT key, indexed_to FROM chain_watch WHERE run_id = ${runId}`;
  return rows.map((row) => ({
    key: hexOf(row.key),
    indexedTo: row.indexed_to === null ? null : Number(row.indexed_to),
  }));
}

/** Writes down how far these are; new ones are added. */
export async function saveWatches(
  tx: Sql | Tx,
  runId: bigint,
  keys: readonly Hex[],
  indexedTo: number | null,
): Promise<void> {
  await tx`
    INSERT INTO chain_watch (run_id, key, indexed_to)
    SELECT ${runId}, key, ${indexedTo}::bigint FROM unnest(${list(keys.map(bytesOf))}::text[]::bytea[]) AS key
    ON CONFLICT (run_id, key) DO UPDATE SET indexed_to = excluded.indexed_to`;
}

/** A reorganisation took blocks back: those that were above its ancestor begin there again. */
export async function lowerWatches(tx: Tx, runId: bigint, ancestor: number): Promise<void> {
  await tx`
    UPDATE chain_watch SET indexed_to = ${ancestor} WHERE run_id = ${runId} AND indexed_to > ${ancestor}`;
}
