import type { Hex } from "viem";
import { bytesOf } from "../../database/bytes.ts";
import type { Sql, Tx } from "../../database/database.ts";
import type { TransactionRequest } from "../port.ts";
import { currentRunOf } from "../runStore.ts";

interface Key {
  readonly chainId: number;
  readonly address: Hex;
}

/**
 * Whether a transaction `t` did not work, as things stand. A reorganisation may give it another end, so on this word only
 * that may be done again which does no harm when it happens twice.
 */
export const failedSoFar = (sql: Sql | Tx) =>
  sql`(t.state = 'failed' OR (t.state = 'mined' AND t.success = false))`;

const under = (sql: Sql | Tx, { chainId, address }: Key, key: string) => sql`
  t.run_id = ${currentRunOf(sql, chainId)}
  AND t.sender = ${bytesOf(address)} AND t.key = ${key}`;

/** What stands under a sender's key: nothing, a transaction that is on its way or did its work, or one that failed. */
export async function keyState(
  sql: Sql | Tx,
  sender: Key,
  key: string,
): Promise<"free" | "standing" | "failed"> {
  const [row] = await sql<{ failed: boolean }[]>`
    SELECT ${failedSoFar(sql)} AS failed FROM chain_transaction t WHERE ${under(sql, sender, key)}`;
  if (!row) return "free";
  return row.failed ? "failed" : "standing";
}

/**
 * Takes the key from a transaction that failed long enough ago, so that another may be sent under it. One that failed
 * further ahead than that was noted by a clock that was wrong, and does not hold its key until then.
 */
export async function freeFailedKey(
  tx: Sql | Tx,
  sender: Key,
  { key, againAfterMs = 0 }: Pick<TransactionRequest, "key" | "againAfterMs">,
  now: number,
): Promise<void> {
  await tx`
    UPDATE chain_transaction t SET key = t.key || ' failed ' || t.id, updated_at = ${now}
    WHERE ${under(tx, sender, key)} AND ${failedSoFar(tx)}
      AND (t.updated_at <= ${now - againAfterMs} OR t.updated_at > ${now + againAfterMs})`;
}
