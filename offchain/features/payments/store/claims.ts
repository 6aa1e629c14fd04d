import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import { addressOf, bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { channelAccount, channelAccounts, payeeAccounts } from "../rules/accounts.ts";
import type { EventPlace } from "../service.ts";
import type { ChannelRow } from "./channels.ts";
import { refusedByPayer } from "./payerClaims.ts";

/** What a claim, or the end of a chain, must know of a channel. */
export type ClaimedChannel = Pick<ChannelRow, "id" | "runId" | "receiver" | "unit" | "claimed">;

/** A channel's claimed total rose from `before` to `after`. */
export interface Claim {
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

/** The reservations that a claim up to `after` covers whole, and that are still open. */
export async function coveredHolds(tx: Tx, channel: ClaimedChannel, after: bigint): Promise<string[]> {
  const rows = await tx<{ transfer_id: string }[]>`
    SELECT transfer_id FROM payment p WHERE channel = ${channel.id} AND cumulative > ${channel.claimed.toString()}::numeric
      AND NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = p.transfer_id::bigint)
    GROUP BY transfer_id HAVING max(cumulative) <= ${after.toString()}::numeric`;
  return rows.map(({ transfer_id }) => transfer_id);
}

/** Stores a claim, and marks as settled the batches that have nothing left to claim. */
export async function saveClaim(tx: Tx, channel: bigint, claim: Claim, place: EventPlace): Promise<void> {
  const [before, after, hash] = [
    claim.before.toString(),
    claim.after.toString(),
    bytesOf(place.transactionHash),
  ];
  await tx`
    UPDATE channel SET claimed = ${after}::numeric, accepted = greatest(accepted, ${after}::numeric) WHERE id = ${channel}`;
  await tx`
    INSERT INTO channel_claim (channel, block_hash, log_index, transaction_hash, before, after, transfers)
    VALUES (${channel}, ${bytesOf(place.blockHash)}, ${place.logIndex}, ${hash}, ${before}, ${after}, ${claim.transfers})`;
  await tx`
    UPDATE batch b SET state = 'settled', settled_at = ${place.blockAt}, transaction_hash = ${hash}
    WHERE b.state = 'submitted' AND b.transaction_id IN (SELECT transaction_id FROM chain_attempt WHERE hash = ${hash})
      AND NOT EXISTS (SELECT FROM ${unclaimed(tx)} WHERE p.batch_id = b.id)`;
  // Given up, and claimed after all.
  await tx`
    UPDATE batch b SET state = 'settled', settled_at = ${place.blockAt}, transaction_hash = ${hash}
    WHERE b.state = 'lost' AND b.id IN (
      SELECT batch_id FROM payment WHERE channel = ${channel}
        AND cumulative > ${before}::numeric AND cumulative <= ${after}::numeric)`;
}

/** Takes the claims of one event out of the tables, the newest first. */
export async function removeClaims(
  tx: Tx,
  runId: bigint,
  place: EventPlace,
): Promise<(Claim & { channel: ClaimedChannel })[]> {
  const rows = await tx<(Claim & { id: bigint; channel: bigint; receiver: Uint8Array; unit: UnitCode })[]>`
    DELETE FROM channel_claim k USING channel c
    WHERE c.id = k.channel AND c.run_id = ${runId}
      AND k.block_hash = ${bytesOf(place.blockHash)} AND k.log_index = ${place.logIndex}
    RETURNING k.*, c.receiver, c.unit`;
  // One event may claim a channel more than once.
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

/** The balance of the channel's account that is reserved for no payment, base units. */
export async function freeOf(tx: Tx, channel: ClaimedChannel): Promise<bigint> {
  const [account] = await tx<{ free: bigint }[]>`
    SELECT balance - pending AS free FROM account WHERE name = ${channelAccount(channel)} AND unit = ${channel.unit}`;
  return account?.free ?? 0n;
}

/** A reservation for payments of a channel: what it holds, and what of the payments behind it is not claimed. */
export interface Hold {
  transferId: string;
  held: bigint;
  owed: bigint;
}

/** The reservations for payments that are not claimed, oldest first. One that was released is no longer open. */
export async function holdsOf(tx: Tx, channel: ClaimedChannel, isOpen: boolean): Promise<Hold[]> {
  return tx<Hold[]>`
    SELECT p.transfer_id AS "transferId", t.amount AS held, sum(${leftOf(tx, channel.claimed)})::numeric(38,0) AS owed
    FROM payment p JOIN transfer t ON t.id = p.transfer_id::bigint
    WHERE p.channel = ${channel.id} AND p.cumulative > ${channel.claimed.toString()}::numeric
      AND ${isOpen} = NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = t.id)
    GROUP BY p.transfer_id, t.amount ORDER BY max(p.cumulative)`;
}

/** What an account of the books holds, base units. */
export async function balanceOf(tx: Tx, account: AccountName, unit: UnitCode): Promise<bigint> {
  const [held] = await tx<{ balance: bigint }[]>`
    SELECT balance FROM account WHERE name = ${account} AND unit = ${unit}`;
  return held?.balance ?? 0n;
}

/** Every open reservation of the channels of a chain run. */
export async function openHolds(tx: Tx, runId: bigint): Promise<string[]> {
  const rows = await tx<{ transfer_id: string }[]>`
    SELECT DISTINCT p.transfer_id FROM payment p JOIN channel c ON c.id = p.channel
    WHERE c.run_id = ${runId} AND p.cumulative > c.claimed
      AND NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = p.transfer_id::bigint)`;
  return rows.map(({ transfer_id }) => transfer_id);
}

/** The accounts of a chain run's channels and payees that hold something, each in the units of channels. */
export async function fundedAccounts(
  tx: Tx,
  runId: bigint,
): Promise<{ name: AccountName; unit: UnitCode; balance: bigint }[]> {
  return tx<{ name: AccountName; unit: UnitCode; balance: bigint }[]>`
    SELECT a.name, a.unit, a.balance FROM account a
    WHERE a.balance > 0 AND (
      (a.name, a.unit) IN (SELECT ${channelAccounts} || id, unit FROM channel WHERE run_id = ${runId})
      OR (a.name LIKE ${`${payeeAccounts(runId)}%`} AND a.unit IN (SELECT unit FROM channel WHERE run_id = ${runId})))`;
}

export async function loseBatches(tx: Tx, runId: bigint): Promise<void> {
  await tx`UPDATE batch SET state = 'lost' WHERE run_id = ${runId} AND state <> 'settled'`;
}
