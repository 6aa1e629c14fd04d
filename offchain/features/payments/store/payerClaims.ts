import { failedSoFar } from "#offchain/platform/chain/sender/keyStore.ts";
import { zeroAddressBytes } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { type ChannelRow, findChannels } from "./channels.ts";

/** A channel that is claimed by itself, and its newest voucher in a closed batch that the chain has not been shown. */
export interface PayerClaim {
  channel: ChannelRow;
  maxClaimableAmount: bigint;
  /** As it is stored: a key's in ERC-2098 form, another as the payer's own check takes it. */
  signature: Uint8Array;
  /** Claims of this channel that failed since the last one that succeeded. */
  failures: number;
}

/** Channels `k` without a key of their own whose payer's code refused the last claim, and no later one has succeeded. */
export const refusedByPayer = (sql: Sql | Tx) => sql`(
  SELECT k.channel, k.tried_at, coalesce(t.error->'facts'->>'error', t.error->>'message', 'the payer refused the claim') AS reason
  FROM payer_claim k JOIN channel c ON c.id = k.channel AND c.payer_authorizer = ${zeroAddressBytes} LEFT JOIN chain_transaction t ON t.id = k.transaction_id
  WHERE k.cumulative > c.claimed AND (k.failures > 0 OR ${failedSoFar(sql)})) k`;

/**
 * The claims to be made now. They are of channels without a key of their own, and of those that their payer is leaving
 * while a batch that claims them has failed: what made it fail may be another channel's doing, and would be again. Nothing
 * of the channel is with the sender, and after n failures `pauseMs(n)` have passed since the last try. With those on their
 * way they are `unminedMax` at most: first of all channels that are being left, then what never failed, then by value.
 */
export async function duePayerClaims(
  sql: Sql,
  runId: bigint,
  unminedMax: number,
  isDue: (failures: number, triedAt: number) => boolean,
): Promise<PayerClaim[]> {
  const rows = await sql<
    {
      channel_id: `0x${string}`;
      cumulative: bigint;
      signature: Uint8Array;
      failures: number;
      failed: boolean;
      tried_at: bigint | null;
      leaves_at: bigint | null;
      value: bigint;
    }[]
  >`
    SELECT DISTINCT ON (c.id) '0x' || encode(c.channel_id, 'hex') AS channel_id, p.cumulative, p.signature,
           coalesce(k.failures, 0) AS failures, k.tried_at, coalesce(k.cumulative > c.claimed, false) AS failed,
           c.withdrawable_at AS leaves_at, p.cumulative - c.claimed AS value
    FROM channel c
    JOIN payment p ON p.channel = c.id AND p.cumulative > c.claimed
    JOIN batch b ON b.id = p.batch_id AND b.state <> 'open'
    LEFT JOIN payer_claim k ON k.channel = c.id
    LEFT JOIN chain_transaction t ON t.id = k.transaction_id
    WHERE c.run_id = ${runId}
      AND (c.payer_authorizer = ${zeroAddressBytes} OR c.withdrawable_at IS NOT NULL)
      AND (c.payer_authorizer = ${zeroAddressBytes} OR (
        b.failures > 0
        AND NOT EXISTS (SELECT FROM batch_refusal r WHERE r.batch_id = b.id AND r.channel = c.id)))
      AND (k.channel IS NULL OR k.cumulative <= c.claimed OR ${failedSoFar(sql)})
    ORDER BY c.id, p.cumulative DESC`;
  const room = unminedMax - (await unminedClaims(sql, runId));
  const due = rows
    .map((row) => ({ ...row, failures: row.failed ? row.failures + 1 : 0 }))
    .filter(({ failed, failures, tried_at: triedAt }) => !failed || isDue(failures, Number(triedAt)))
    .toSorted(
      (one, other) =>
        Number(one.leaves_at ?? Number.POSITIVE_INFINITY) -
          Number(other.leaves_at ?? Number.POSITIVE_INFINITY) ||
        one.failures - other.failures ||
        Number(other.value - one.value),
    )
    .slice(0, Math.max(0, room));
  const channels = await findChannels(
    sql,
    runId,
    due.map((row) => row.channel_id),
  );
  return due.flatMap(({ channel_id, cumulative, signature, failures }) => {
    const channel = channels.find(({ channelId }) => channelId === channel_id);
    return channel ? [{ channel, maxClaimableAmount: cumulative, signature, failures }] : [];
  });
}

async function unminedClaims(sql: Sql, runId: bigint): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT count(*)::int FROM payer_claim k JOIN chain_transaction t ON t.id = k.transaction_id
    WHERE t.run_id = ${runId} AND t.state IN ('prepared', 'signed', 'sent')`;
  return row?.count ?? 0;
}

export async function savePayerClaim(
  tx: Tx,
  { channel, maxClaimableAmount, failures }: PayerClaim,
  transactionId: bigint,
  now: number,
): Promise<void> {
  await tx`
    INSERT INTO payer_claim (channel, cumulative, failures, transaction_id, tried_at)
    VALUES (${channel.id}, ${maxClaimableAmount.toString()}::numeric, ${failures}, ${transactionId}, ${now})
    ON CONFLICT (channel) DO UPDATE SET
      cumulative = excluded.cumulative, failures = excluded.failures,
      transaction_id = excluded.transaction_id, tried_at = excluded.tried_at`;
}
