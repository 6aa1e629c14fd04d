import type { UnitCode } from "#offchain/core/unit.ts";
import { addressOf, bytesOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { EventPlace } from "../service.ts";
import type { ChannelRow } from "./channels.ts";
import { refusedByPayer } from "./payerClaims.ts";

/** What a claim, or the end of a chain, must know of a channel. */
export type ClaimedChannel = Pick<ChannelRow, "id" | "runId" | "receiver" | "unit" | "claimed">;

/** A channel's claimed total rose from `before` to `after`. */
export interface Claim {
  channel: ClaimedChannel;
  before: bigint;
  after: bigint;
  /** Ledger transfers that it posted. */
  transfers: string[];
}

/** Payments `p` that their batch still has to claim: what the contract or the payer's code refused is left out of it. */
export const unclaimed = (sql: Sql | Tx) => sql`(
  SELECT p.* FROM payment p JOIN channel c ON c.id = p.channel
  WHERE p.cumulative > c.claimed
    AND NOT EXISTS (SELECT FROM batch_refusal r WHERE r.batch_id = p.batch_id AND r.channel = p.channel)
    AND NOT EXISTS (SELECT FROM ${refusedByPayer(sql)} WHERE k.channel = p.channel)) p`;

/** @param deposits how many more deposits the channel has had by it; below zero: they are taken back */
export async function addToBalance(tx: Tx, channel: bigint, delta: bigint, deposits: number): Promise<void> {
  await tx`
    UPDATE channel SET balance = balance + ${delta.toString()}::numeric, deposits = deposits + ${deposits}
    WHERE id = ${channel}`;
}

/** By channel: the reservations whose payments a claim up to `after` covers all, resolved ones among them. */
export async function coveredHolds(
  tx: Tx,
  claims: readonly Pick<Claim, "channel" | "after">[],
): Promise<Map<bigint, string[]>> {
  const rows = await tx<{ channel: bigint; transfers: string[] }[]>`
    SELECT channel, array_agg(transfer_id) AS transfers FROM (
      SELECT p.channel, p.transfer_id
      FROM unnest(${list(claims.map(({ channel }) => channel.id))}::bigint[],
                  ${list(claims.map(({ channel }) => channel.claimed))}::numeric[],
                  ${list(claims.map(({ after }) => after))}::numeric[]) AS c(id, claimed, after)
      JOIN payment p ON p.channel = c.id AND p.cumulative > c.claimed
      GROUP BY p.channel, p.transfer_id, c.after HAVING max(p.cumulative) <= c.after
    ) AS covered GROUP BY channel`;
  return new Map(rows.map(({ channel, transfers }) => [channel, transfers]));
}

/** Stores an event's claims, and marks as settled the batches that have nothing left to claim. */
export async function saveClaims(tx: Tx, claims: readonly Claim[], place: EventPlace): Promise<void> {
  const hash = bytesOf(place.transactionHash);
  const [ids, before, after] = [
    list(claims.map(({ channel }) => channel.id)),
    list(claims.map((claim) => claim.before)),
    list(claims.map((claim) => claim.after)),
  ];
  await tx`
    UPDATE channel SET claimed = c.after, accepted = greatest(accepted, c.after)
    FROM unnest(${ids}::bigint[], ${after}::numeric[]) AS c(id, after) WHERE channel.id = c.id`;
  await tx`
    INSERT INTO channel_claim (channel, block_hash, log_index, transaction_hash, before, after, transfers)
    SELECT id, ${bytesOf(place.blockHash)}, ${place.logIndex}, ${hash}, before, after, transfers::text[]
    FROM unnest(${ids}::bigint[], ${before}::numeric[], ${after}::numeric[],
                ${claims.map(({ transfers }) => `{${transfers.join()}}`)}::text[]) AS c(id, before, after, transfers)`;
  await tx`
    UPDATE batch b SET state = 'settled', settled_at = ${place.blockAt}, transaction_hash = ${hash}
    WHERE b.state = 'submitted' AND b.transaction_id IN (SELECT transaction_id FROM chain_attempt WHERE hash = ${hash})
      AND NOT EXISTS (SELECT FROM ${unclaimed(tx)} WHERE p.batch_id = b.id)`;
  // Given up, and claimed after all.
  await tx`
    UPDATE batch b SET state = 'settled', settled_at = ${place.blockAt}, transaction_hash = ${hash}
    WHERE b.state = 'lost' AND b.id IN (
      SELECT p.batch_id FROM unnest(${ids}::bigint[], ${before}::numeric[], ${after}::numeric[]) AS c(id, before, after)
      JOIN payment p ON p.channel = c.id AND p.cumulative > c.before AND p.cumulative <= c.after)`;
}

/** Takes the claims of one event out of the tables, the newest first. */
export async function removeClaims(tx: Tx, runId: bigint, place: EventPlace): Promise<Claim[]> {
  const rows = await tx<
    (Pick<Claim, "before" | "after" | "transfers"> & {
      id: bigint;
      channel: bigint;
      receiver: Uint8Array;
      unit: UnitCode;
    })[]
  >`
    DELETE FROM channel_claim k USING channel c
    WHERE c.id = k.channel AND c.run_id = ${runId}
      AND k.block_hash = ${bytesOf(place.blockHash)} AND k.log_index = ${place.logIndex}
    RETURNING k.*, c.receiver, c.unit`;
  const newestFirst = rows.toSorted((one, other) => Number(other.id - one.id));
  return newestFirst.map(({ channel, receiver, unit, before, after, transfers }) => ({
    before,
    after,
    transfers,
    channel: { id: channel, runId, receiver: addressOf(receiver), unit, claimed: before },
  }));
}

export async function lowerClaimed(tx: Tx, channel: ClaimedChannel): Promise<void> {
  await tx`UPDATE channel SET claimed = ${channel.claimed.toString()}::numeric WHERE id = ${channel.id}`;
}

/** A reorganisation dropped the transaction: the batches that it settled wait again. */
export async function unsettleBatches(tx: Tx, transactionHash: `0x${string}`): Promise<void> {
  await tx`
    UPDATE batch SET state = CASE WHEN transaction_id IS NULL THEN 'closed' ELSE 'submitted' END,
      settled_at = NULL, transaction_hash = NULL
    WHERE state = 'settled' AND transaction_hash = ${bytesOf(transactionHash)}`;
}

/** What the payments behind one reservation add up to beyond a claimed total, base units. */
export async function amountBehind(tx: Tx, transferId: string, claimed: bigint): Promise<bigint> {
  const [sum] = await tx<{ amount: bigint }[]>`
    SELECT sum(${leftOf(tx, claimed)})::numeric(38,0) AS amount FROM payment p WHERE transfer_id = ${transferId}`;
  return sum?.amount ?? 0n;
}

/** What is left to claim of a payment `p`: a claim made elsewhere may end within it. */
const leftOf = (tx: Tx, claimed: bigint) =>
  tx`least(p.amount, p.cumulative - ${claimed.toString()}::numeric)`;

/** Moves the payments above a cumulative amount from one reservation to another. */
export async function moveHold(tx: Tx, transferId: string, to: string, above = 0n): Promise<void> {
  await tx`
    UPDATE payment SET transfer_id = ${to}
    WHERE transfer_id = ${transferId} AND cumulative > ${above.toString()}::numeric`;
}

/** The reservations behind what is not claimed of a channel, oldest first, each with what its payments still claim. */
export async function owedByHold(
  tx: Tx,
  channel: ClaimedChannel,
): Promise<{ transferId: string; owed: bigint }[]> {
  return tx<{ transferId: string; owed: bigint }[]>`
    SELECT p.transfer_id AS "transferId", sum(${leftOf(tx, channel.claimed)})::numeric(38,0) AS owed
    FROM payment p WHERE p.channel = ${channel.id} AND p.cumulative > ${channel.claimed.toString()}::numeric
    GROUP BY p.transfer_id ORDER BY max(p.cumulative)`;
}

/** The reservations behind what is not claimed of all channels of a chain run. */
export async function holdsOfRun(tx: Tx, runId: bigint): Promise<string[]> {
  const rows = await tx<{ transfer_id: string }[]>`
    SELECT DISTINCT p.transfer_id FROM payment p JOIN channel c ON c.id = p.channel
    WHERE c.run_id = ${runId} AND p.cumulative > c.claimed`;
  return rows.map(({ transfer_id }) => transfer_id);
}

export function channelsOfRun(tx: Tx, runId: bigint): Promise<{ id: bigint; unit: UnitCode }[]> {
  return tx<{ id: bigint; unit: UnitCode }[]>`SELECT id, unit FROM channel WHERE run_id = ${runId}`;
}

export async function loseBatches(tx: Tx, runId: bigint): Promise<void> {
  await tx`UPDATE batch SET state = 'lost' WHERE run_id = ${runId} AND state <> 'settled'`;
}
