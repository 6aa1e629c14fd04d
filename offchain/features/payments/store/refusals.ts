import { type Backoff, backoffMs } from "#offchain/core/pause.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { BatchView } from "../service.ts";
import { refusedByPayer } from "./payerClaims.ts";

/** Time from a refusal to the next try. */
const retrying: Backoff = { firstMs: 30_000, longestMs: 3_600_000 };
/** By the number of refusals, up to the longest. */
const waits = Array.from({ length: 8 }, (_, refusals) => backoffMs(refusals + 1, retrying));

/** The channel's voucher is left out of the batch, for the contract's own reason. */
export async function recordRefusal(
  sql: Sql | Tx,
  refusal: { batchId: bigint; channel: bigint; reason: string },
  now: number,
): Promise<void> {
  await sql`
    INSERT INTO batch_refusal AS r (batch_id, channel, reason, refused_at, next_try_at)
    VALUES (${refusal.batchId}, ${refusal.channel}, ${refusal.reason}, ${now}, ${now + retrying.firstMs})
    ON CONFLICT (batch_id, channel) DO UPDATE SET reason = excluded.reason, tries = r.tries + 1,
      next_try_at = ${now} + (${waits}::bigint[])[least(r.tries + 1, ${waits.length})]`;
}

/**
 * Refusals to be tried again; also those that a clock that was wrong has put off for longer than any is. The books say that the channel covers the voucher, so what was in the way may have passed.
 */
export async function dueRefusals(
  sql: Sql,
  runId: bigint,
  now: number,
): Promise<{ batchId: bigint; channel: bigint }[]> {
  const rows = await sql<{ batch_id: bigint; channel: bigint }[]>`
    SELECT r.batch_id, r.channel FROM batch_refusal r JOIN channel c ON c.id = r.channel
    JOIN batch b ON b.id = r.batch_id AND b.state IN ('settled', 'lost')
    WHERE (r.next_try_at <= ${now} OR r.next_try_at > ${now + retrying.longestMs}) AND c.run_id = ${runId} AND EXISTS (
      SELECT FROM payment p WHERE p.batch_id = r.batch_id AND p.channel = r.channel
        AND p.cumulative > c.claimed AND p.cumulative <= c.balance)
    ORDER BY r.batch_id, r.channel`;
  return rows.map(({ batch_id, channel }) => ({ batchId: batch_id, channel }));
}

/**
 * The voucher can be claimed after all: its batch waits for another settlement. One whose settlement is under way is left
 * alone until that is over, since its transaction does not claim the voucher.
 * @returns whether it was taken back
 */
export async function takeBackRefusal(
  tx: Tx,
  { batchId, channel }: { batchId: bigint; channel: bigint },
): Promise<boolean> {
  const { count } = await tx`
    UPDATE batch SET state = 'closed', settled_at = NULL, transaction_hash = NULL
    WHERE id = ${batchId} AND state IN ('settled', 'lost')`;
  if (count === 0) return false;
  await tx`DELETE FROM batch_refusal WHERE batch_id = ${batchId} AND channel = ${channel}`;
  return true;
}

/** Channels `r` that are left out of batches (null: of any), by the contract or by a payer's own code. */
export function refusedOf(sql: Sql, batchIds: readonly bigint[] | null) {
  const isAmong = batchIds ? sql`batch_id = ANY(${batchIds.map(String)}::bigint[])` : sql`true`;
  return sql`(
    SELECT batch_id, channel, reason, refused_at FROM batch_refusal WHERE ${isAmong}
    UNION ALL
    SELECT DISTINCT p.batch_id, k.channel, k.reason, k.tried_at
    FROM ${refusedByPayer(sql)} JOIN payment p ON p.channel = k.channel WHERE ${isAmong}) r`;
}

/** The refusal `r` of a payment `p` of channel `c`: as its batch tells it. No row: it is claimed, or nobody refused it. */
export const refusalOfPayment = (sql: Sql | Tx) => sql`
  LATERAL (
    SELECT reason, refused_at FROM batch_refusal
    WHERE p.cumulative > c.claimed AND batch_id = p.batch_id AND channel = p.channel
    UNION ALL
    SELECT k.reason, k.tried_at FROM ${refusedByPayer(sql)} WHERE p.cumulative > c.claimed AND k.channel = p.channel
    LIMIT 1) r`;

/** What the contract, or a payer's code, did not take of these batches and no later voucher has claimed since. */
export async function refusalsOf(
  sql: Sql,
  batchIds: readonly bigint[],
): Promise<Map<string, BatchView["refused"]>> {
  const rows = await sql<
    {
      batch_id: bigint;
      channel_id: Uint8Array;
      reason: string;
      refused_at: bigint;
      unit: UnitCode;
      amount: bigint;
    }[]
  >`
    SELECT r.batch_id, c.channel_id, c.unit, r.reason, r.refused_at, sum(p.amount)::numeric(38,0) AS amount
    FROM ${refusedOf(sql, batchIds)} JOIN channel c ON c.id = r.channel
    JOIN payment p ON p.batch_id = r.batch_id AND p.channel = r.channel AND p.cumulative > c.claimed
    GROUP BY r.batch_id, c.id, r.reason, r.refused_at ORDER BY c.id`;
  const refused = new Map<string, BatchView["refused"]>();
  for (const row of rows) {
    const batchId = row.batch_id.toString();
    const refusal = {
      channelId: hexOf(row.channel_id),
      amount: { amount: formatAmount(row.amount, row.unit), unit: row.unit },
      reason: row.reason,
      at: Number(row.refused_at),
    };
    refused.set(batchId, [...(refused.get(batchId) ?? []), refusal]);
  }
  return refused;
}
