import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { ClosingChannel } from "../service.ts";

/** Whether a withdrawal is in progress and the payee could still lose unclaimed money. */
export const isClosing = ({ withdrawableAt, unclaimed }: ClosingChannel): boolean =>
  withdrawableAt !== null && unclaimed.amount !== "0";

/**
 * The channels from which payers withdraw while accepted vouchers are unclaimed, the most urgent first.
 * @param known channels to include even after their withdrawal has ended
 */
export async function closingChannels(
  sql: Sql,
  runId: bigint,
  known: readonly string[] = [],
): Promise<ClosingChannel[]> {
  const among = sql`ANY(${list(known.map(bytesOf))}::text[]::bytea[])`;
  const rows = await sql<
    {
      channel_id: Uint8Array;
      payer: Uint8Array;
      receiver: Uint8Array;
      unit: UnitCode;
      withdrawable_at: bigint | null;
      unclaimed: bigint;
      is_claiming: boolean;
    }[]
  >`
    SELECT c.channel_id, c.payer, c.receiver, c.unit, c.withdrawable_at,
           coalesce(max(p.cumulative) - c.claimed, 0)::numeric(38,0) AS unclaimed,
           coalesce(bool_and(b.state = 'submitted' AND b.transaction_id IS NOT NULL AND NOT EXISTS (
             SELECT FROM batch_refusal r WHERE r.batch_id = b.id AND r.channel = c.id)), false)
           OR EXISTS (
             SELECT FROM payer_claim k JOIN chain_transaction t ON t.id = k.transaction_id
             WHERE k.channel = c.id AND k.cumulative >= max(p.cumulative) AND t.state IN ('prepared', 'signed', 'sent')) AS is_claiming
    FROM channel c
    LEFT JOIN payment p ON p.channel = c.id AND p.cumulative > c.claimed
    LEFT JOIN batch b ON b.id = p.batch_id
    WHERE c.id IN (
      SELECT id FROM channel WHERE run_id = ${runId} AND withdrawable_at IS NOT NULL
      UNION SELECT id FROM channel WHERE run_id = ${runId} AND channel_id = ${among})
    GROUP BY c.id HAVING count(p.id) > 0 OR c.channel_id = ${among}
    ORDER BY c.withdrawable_at, c.id`;
  return rows.map((row) => ({
    channelId: hexOf(row.channel_id),
    payer: addressOf(row.payer),
    payee: addressOf(row.receiver),
    withdrawableAt: row.withdrawable_at === null ? null : Number(row.withdrawable_at),
    unclaimed: { amount: formatAmount(row.unclaimed, row.unit), unit: row.unit },
    isClaiming: row.is_claiming,
  }));
}
