import type { Hex } from "viem";
import { bytesOf, hexOf, list } from "../../database/bytes.ts";
import type { Sql, Tx } from "../../database/database.ts";

/** One event of one contract, and who handles it. */
export interface Watched {
  /** Whose handler it is; empty in rows that are older than this record. */
  readonly handler: string;
  /** The address and the first topic, one after the other, lower case. */
  readonly key: Hex;
  /** No such event is older. */
  readonly fromBlock?: number | undefined;
}

/** One event of one contract that a chain run watches for a handler. */
export interface Watch extends Watched {
  /** The handler has its events up to this block; null: it goes with the chain run's checkpoint. */
  readonly indexedTo: number | null;
}

/** Both in one word, to look it up by. */
export const watchId = ({ handler, key }: Pick<Watched, "handler" | "key">): string => `${key} ${handler}`;

/** What the chain run watches, in no order; nothing for a chain run that is older than this record. */
export async function watchesOf(sql: Sql | Tx, runId: bigint): Promise<Watch[]> {
  const rows = await sql<{ handler: string; key: Uint8Array; indexed_to: bigint | null }[]>`
    SELECT handler, key, indexed_to FROM chain_watch WHERE run_id = ${runId}`;
  return rows.map((row) => ({
    handler: row.handler,
    key: hexOf(row.key),
    indexedTo: row.indexed_to === null ? null : Number(row.indexed_to),
  }));
}

/** Adds what is not watched yet. */
export async function addWatches(tx: Sql | Tx, runId: bigint, watches: readonly Watch[]): Promise<void> {
  await tx`
    INSERT INTO chain_watch (run_id, handler, key, indexed_to)
    SELECT ${runId}, handler, decode(key, 'hex'), indexed_to
    FROM jsonb_to_recordset(${rowsOf(watches)}::text::jsonb) AS w (handler text, key text, indexed_to bigint)
    ON CONFLICT DO NOTHING`;
}

/**
 * Writes down how far these are, which were at `from`.
 * @returns whether they were: if not, another instance has brought them further, and with them their handlers
 */
export async function moveWatches(
  tx: Tx,
  runId: bigint,
  watched: readonly Watched[],
  { from, to }: { from: number; to: number | null },
): Promise<boolean> {
  const { count } = await tx`
    UPDATE chain_watch c SET indexed_to = ${to}::bigint
    FROM jsonb_to_recordset(${rowsOf(watched)}::text::jsonb) AS w (handler text, key text)
    WHERE c.run_id = ${runId} AND c.handler = w.handler AND c.key = decode(w.key, 'hex') AND c.indexed_to = ${from}`;
  return count === watched.length;
}

/** Rows that name no handler are replaced by those that do. */
export async function nameWatches(tx: Tx, runId: bigint, named: readonly Watch[]): Promise<void> {
  await addWatches(tx, runId, named);
  await tx`
    DELETE FROM chain_watch
    WHERE run_id = ${runId} AND handler = '' AND key = ANY(${list(named.map(({ key }) => bytesOf(key)))}::text[]::bytea[])`;
}

/** A reorganisation took blocks back: those that were above its ancestor begin there again. */
export async function lowerWatches(tx: Tx, runId: bigint, ancestor: number): Promise<void> {
  await tx`
    UPDATE chain_watch SET indexed_to = ${ancestor} WHERE run_id = ${runId} AND indexed_to > ${ancestor}`;
}

const rowsOf = (watches: readonly (Watched & { indexedTo?: number | null })[]): string =>
  JSON.stringify(
    watches.map(({ handler, key, indexedTo }) => ({ handler, key: key.slice(2), indexed_to: indexedTo })),
  );
