import { randomUUID } from "node:crypto";
import type { AccountName, LedgerOperation, Movement } from "#offchain/features/ledger/rules/transfer.ts";
import { applyOperations } from "#offchain/features/ledger/within.ts";
import { addressOf, bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import {
  type ChannelRow,
  chainAccount,
  channelAccount,
  channelUnit,
  lockBooks,
  payeeAccount,
} from "./channels.ts";
import { refusedByPayer } from "./payerClaims.ts";

/**
 * What the settlement contract's events do to channels and ledger. The ledger mirrors the contract:
 * `chain` is short of all that the contract holds, a channel's account is its unclaimed deposit, a payee's account is
 * what it has claimed and not been paid. Every function runs in the transaction that moves the indexer's checkpoint,
 * which is what makes it happen exactly once; so ledger keys need only be new.
 */
export interface EventPlace {
  blockHash: `0x${string}`;
  logIndex: number;
  /** The block's time, epoch ms. */
  blockAt: number;
  transactionHash: `0x${string}`;
}

/** Money enters (above zero) or leaves (below) the channel's deposit. */
export async function changeBalance(
  tx: Tx,
  channel: ChannelRow,
  delta: bigint,
  place: EventPlace,
): Promise<void> {
  if (delta === 0n) return;
  if (delta < 0n) await releaseHolds(tx, channel, -delta, place.blockAt);
  await tx`UPDATE channel SET balance = balance + ${delta.toString()}::numeric WHERE id = ${channel.id}`;
  const [debit, credit] = [chainAccount(channel.epochId), channelAccount(channel)];
  await move(
    tx,
    channel,
    delta > 0n ? { debit, credit } : { debit: credit, credit: debit },
    abs(delta),
    place,
  );
  if (delta > 0n) await restoreHolds(tx, channel, place.blockAt);
}

/** The contract paid a payee what it had claimed; a negative amount takes that back. */
export async function changeSettled(
  tx: Tx,
  epochId: bigint,
  payee: string,
  amount: bigint,
  place: EventPlace,
): Promise<void> {
  if (amount === 0n) return;
  const [debit, credit] = [payeeAccount(epochId, payee), chainAccount(epochId)];
  const accounts = amount > 0n ? { debit, credit } : { debit: credit, credit: debit };
  await apply(tx, [moved({ ...accounts, unit: "USDC", amount: abs(amount) }, place)], place.blockAt);
}

/** The channel's claimed total rose to `after`: posts the reserved payments that it covers. */
export async function applyClaim(
  tx: Tx,
  channel: ChannelRow,
  after: bigint,
  place: EventPlace,
): Promise<void> {
  const before = channel.claimed;
  if (after <= before) return;
  const covered = await tx<{ transfer_id: string }[]>`
    SELECT transfer_id FROM payment p WHERE channel = ${channel.id} AND cumulative > ${before.toString()}::numeric
      AND NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = p.transfer_id::bigint)
    GROUP BY transfer_id HAVING max(cumulative) <= ${after.toString()}::numeric`;
  const transfers = covered.map(({ transfer_id }) => transfer_id);
  const posted = await apply(
    tx,
    transfers.map((transferId) => ({ kind: "post", key: key(), transferId })),
    place.blockAt,
  );
  const sum = posted.reduce((total, { amount }) => total + amount, 0n);
  // A claim made elsewhere may end between two payments, and a hold may have given way: what the holds do not account
  // for moves beside them.
  await moveClaimed(tx, channel, after - before - sum, place);
  await tx`
    UPDATE channel SET claimed = ${after.toString()}::numeric, accepted = greatest(accepted, ${after.toString()}::numeric)
    WHERE id = ${channel.id}`;
  await tx`
    INSERT INTO channel_claim (channel, block_hash, log_index, transaction_hash, before, after, transfers)
    VALUES (${channel.id}, ${bytesOf(place.blockHash)}, ${place.logIndex}, ${bytesOf(place.transactionHash)},
            ${before.toString()}, ${after.toString()}, ${transfers})`;
  await tx`
    UPDATE batch b SET state = 'settled', settled_at = ${place.blockAt}, transaction_hash = ${bytesOf(place.transactionHash)}
    WHERE b.state = 'submitted'
      AND b.transaction_id IN (SELECT transaction_id FROM chain_attempt WHERE hash = ${bytesOf(place.transactionHash)})
      AND NOT EXISTS (SELECT FROM ${unclaimed(tx)} WHERE p.batch_id = b.id)`;
  // Given up, and claimed after all.
  await tx`
    UPDATE batch b SET state = 'settled', settled_at = ${place.blockAt}, transaction_hash = ${bytesOf(place.transactionHash)}
    WHERE b.state = 'lost' AND b.id IN (
      SELECT batch_id FROM payment WHERE channel = ${channel.id}
        AND cumulative > ${before.toString()}::numeric AND cumulative <= ${after.toString()}::numeric)`;
}

/** Payments `p` that their batch still has to claim: what the contract or the payer's code refused is left out of it. */
export const unclaimed = (sql: Sql | Tx) => sql`(
  SELECT p.* FROM payment p JOIN channel c ON c.id = p.channel
  WHERE p.cumulative > c.claimed
    AND NOT EXISTS (SELECT FROM batch_refusal r WHERE r.batch_id = p.batch_id AND r.channel = p.channel)
    AND NOT EXISTS (SELECT FROM ${refusedByPayer(sql)} WHERE k.channel = p.channel)) p`;

/** A reorg dropped the claim event: reserves again what it had posted. */
export async function retractClaims(tx: Tx, epochId: bigint, place: EventPlace): Promise<void> {
  const claims = await tx<
    {
      id: bigint;
      channel: bigint;
      before: bigint;
      after: bigint;
      transfers: string[];
      receiver: Uint8Array;
    }[]
  >`
    DELETE FROM channel_claim k USING channel c
    WHERE c.id = k.channel AND c.epoch_id = ${epochId}
      AND k.block_hash = ${bytesOf(place.blockHash)} AND k.log_index = ${place.logIndex}
    RETURNING k.*, c.receiver`;
  for (const claim of claims) {
    const receiver = addressOf(claim.receiver);
    const channel = { id: claim.channel, epochId, receiver, claimed: claim.before };
    const accounts = {
      debit: payeeAccount(epochId, receiver),
      credit: channelAccount(channel),
      unit: channelUnit,
    };
    await apply(tx, [moved({ ...accounts, amount: claim.after - claim.before }, place)], place.blockAt);
    for (const transferId of claim.transfers) {
      const [sum] = await tx<{ amount: bigint }[]>`
        SELECT sum(amount)::numeric(38,0) AS amount FROM payment WHERE transfer_id = ${transferId}`;
      const [held] = await apply(tx, [hold(channel, sum?.amount ?? 0n)], place.blockAt);
      await tx`UPDATE payment SET transfer_id = ${held?.id ?? ""} WHERE transfer_id = ${transferId}`;
    }
    await tx`UPDATE channel SET claimed = ${claim.before.toString()}::numeric WHERE id = ${claim.channel}`;
    await restoreHolds(tx, channel, place.blockAt);
  }
  await tx`
    UPDATE batch SET state = CASE WHEN transaction_id IS NULL THEN 'closed' ELSE 'submitted' END,
      settled_at = NULL, transaction_hash = NULL
    WHERE state = 'settled' AND transaction_hash = ${bytesOf(place.transactionHash)}`;
}

/** The chain that these channels were on is gone: what its contract held is written off, by transfers like any other. */
export async function endEpoch(tx: Tx, epochId: bigint, now: number): Promise<void> {
  await lockBooks(tx, epochId, "alone");
  const pending = await tx<{ transfer_id: string }[]>`
    SELECT DISTINCT p.transfer_id FROM payment p JOIN channel c ON c.id = p.channel
    WHERE c.epoch_id = ${epochId} AND p.cumulative > c.claimed
      AND NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = p.transfer_id::bigint)`;
  await apply(
    tx,
    pending.map(({ transfer_id }) => ({ kind: "void", key: key(), transferId: transfer_id })),
    now,
  );
  const left = await tx<{ name: AccountName; balance: bigint }[]>`
    SELECT a.name, a.balance FROM account a
    WHERE a.unit = 'USDC' AND a.balance > 0
      AND (a.name IN (SELECT 'channel:' || id FROM channel WHERE epoch_id = ${epochId}) OR a.name LIKE ${`payee:${epochId}:%`})`;
  await apply(
    tx,
    left.map(({ name, balance }) => ({
      kind: "transfer",
      key: key(),
      debit: name,
      credit: chainAccount(epochId),
      unit: "USDC",
      amount: balance,
      reference: `epoch:${epochId}:ended`,
    })),
    now,
  );
  await tx`UPDATE batch SET state = 'lost' WHERE epoch_id = ${epochId} AND state <> 'settled'`;
}

type HeldChannel = Pick<ChannelRow, "id" | "epochId" | "receiver" | "claimed">;

/** Of the channel's account, what is reserved for no payment; base units. */
async function freeOf(tx: Tx, channel: HeldChannel): Promise<bigint> {
  const [account] = await tx<{ free: bigint }[]>`
    SELECT balance - pending AS free FROM account WHERE name = ${channelAccount(channel)} AND unit = ${channelUnit}`;
  return account?.free ?? 0n;
}

/** The reservations for what the channel has not claimed, oldest first; one that gave way is open no more. */
async function holdsOf(tx: Tx, channel: HeldChannel, isOpen: boolean) {
  return tx<{ transfer_id: string; held: bigint; owed: bigint }[]>`
    SELECT p.transfer_id, t.amount AS held, sum(p.amount)::numeric(38,0) AS owed
    FROM payment p JOIN transfer t ON t.id = p.transfer_id::bigint
    WHERE p.channel = ${channel.id} AND p.cumulative > ${channel.claimed.toString()}::numeric
      AND ${isOpen} = NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = t.id)
    GROUP BY p.transfer_id, t.amount ORDER BY max(p.cumulative)`;
}

/** Money that leaves the channel had been promised: the newest reservations give way; without the money they are lost. */
async function releaseHolds(tx: Tx, channel: HeldChannel, needed: bigint, now: number): Promise<void> {
  let free = await freeOf(tx, channel);
  if (free >= needed) return;
  const released: LedgerOperation[] = [];
  for (const { transfer_id, held } of (await holdsOf(tx, channel, true)).toReversed()) {
    if (free >= needed) break;
    released.push({ kind: "void", key: key(), transferId: transfer_id });
    free += held;
  }
  await apply(tx, released, now);
}

/**
 * Reserves anew, oldest first, what had given way and is covered again: a reorganisation takes a deposit away, and the
 * same deposit comes back in another block.
 */
async function restoreHolds(tx: Tx, channel: HeldChannel, now: number): Promise<void> {
  const released = await holdsOf(tx, channel, false);
  if (released.length === 0) return;
  let free = await freeOf(tx, channel);
  for (const { transfer_id, owed } of released) {
    if (owed > free) return;
    free -= owed;
    const [held] = await apply(tx, [hold(channel, owed)], now);
    await tx`
      UPDATE payment SET transfer_id = ${held?.id ?? ""}
      WHERE transfer_id = ${transfer_id} AND cumulative > ${channel.claimed.toString()}::numeric`;
  }
}

const hold = (channel: HeldChannel, amount: bigint): LedgerOperation => ({
  kind: "hold",
  key: key(),
  debit: channelAccount(channel),
  credit: payeeAccount(channel.epochId, channel.receiver),
  unit: channelUnit,
  amount,
});

async function moveClaimed(tx: Tx, channel: ChannelRow, beyond: bigint, place: EventPlace): Promise<void> {
  if (beyond === 0n) return;
  if (beyond > 0n) await releaseHolds(tx, channel, beyond, place.blockAt);
  const [debit, credit] = [channelAccount(channel), payeeAccount(channel.epochId, channel.receiver)];
  await move(
    tx,
    channel,
    beyond > 0n ? { debit, credit } : { debit: credit, credit: debit },
    abs(beyond),
    place,
  );
}

const move = (
  tx: Tx,
  channel: ChannelRow,
  accounts: { debit: AccountName; credit: AccountName },
  amount: bigint,
  place: EventPlace,
) => apply(tx, [moved({ ...accounts, unit: channel.unit, amount }, place)], place.blockAt);

/** A transfer that an event is the reason of. */
export const moved = (movement: Movement, place: EventPlace): LedgerOperation => ({
  kind: "transfer",
  key: key(),
  ...movement,
  reference: `${place.transactionHash}:${place.logIndex}`,
});

/** The ledger must take what the chain says; a refusal stops the indexer before its checkpoint moves. */
export async function apply(tx: Tx, operations: readonly LedgerOperation[], now: number) {
  if (operations.length === 0) return [];
  const outcomes = await applyOperations(tx, operations, now);
  return outcomes.map((outcome) => {
    if (!outcome.ok) throw new Error("the ledger refused what the chain did", { cause: outcome.error });
    return outcome.transfer;
  });
}

const key = () => `chain:${randomUUID()}`;
const abs = (value: bigint) => (value < 0n ? -value : value);
