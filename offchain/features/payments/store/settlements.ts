import { failedSoFar } from "#offchain/platform/chain/sender/keyStore.ts";
import { addressOf, hexOf, zeroAddressBytes } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { unclaimed } from "./claims.ts";

/** A channel's newest voucher in a batch: what settling the batch claims. */
export interface BatchVoucher {
  channel: bigint;
  channelId: `0x${string}`;
  receiver: `0x${string}`;
  receiverAuthorizer: `0x${string}`;
  token: `0x${string}`;
  maxClaimableAmount: bigint;
  /** ERC-2098 form. */
  signature: `0x${string}`;
}

/**
 * Locks a batch that waits for its settlement, and skips it if another instance holds it.
 * @returns how many settlement transactions of it were handed to the sender; null if it does not wait
 */
export async function lockClosedBatch(tx: Tx, batchId: bigint): Promise<{ attempts: number } | null> {
  const [row] = await tx<{ attempts: number }[]>`
    SELECT attempts FROM batch WHERE id = ${batchId} AND state = 'closed' FOR UPDATE SKIP LOCKED`;
  return row ?? null;
}

/** Payments `p` that their batch's own transaction has to claim: a key signs their vouchers. */
const unclaimedByKey = (sql: Sql | Tx) => sql`(
  SELECT p.* FROM ${unclaimed(sql)} JOIN channel k ON k.id = p.channel AND k.payer_authorizer <> ${zeroAddressBytes}) p`;

/**
 * The newest voucher of every channel in the batch that the chain has not been shown yet, but for what it refused.
 * Channels whose payers sign for themselves are claimed by themselves; see `payerClaims.ts`.
 */
export async function unclaimedVouchers(sql: Sql | Tx, batchId: bigint): Promise<BatchVoucher[]> {
  const rows = await sql<VoucherRow[]>`
    SELECT DISTINCT ON (p.channel) p.channel, p.cumulative, p.signature,
           c.channel_id, c.receiver, c.receiver_authorizer, c.token
    FROM ${unclaimedByKey(sql)} JOIN channel c ON c.id = p.channel
    WHERE p.batch_id = ${batchId} ORDER BY p.channel, p.cumulative DESC`;
  return rows.map(voucherOf);
}

/** The newest voucher of the channel in the batch, refused or not; null when it is claimed. */
export async function voucherIn(sql: Sql, batchId: bigint, channel: bigint): Promise<BatchVoucher | null> {
  const [row] = await sql<VoucherRow[]>`
    SELECT p.channel, p.cumulative, p.signature, c.channel_id, c.receiver, c.receiver_authorizer, c.token
    FROM payment p JOIN channel c ON c.id = p.channel
    WHERE p.batch_id = ${batchId} AND p.channel = ${channel} AND p.cumulative > c.claimed
    ORDER BY p.cumulative DESC LIMIT 1`;
  return row ? voucherOf(row) : null;
}

interface VoucherRow {
  channel: bigint;
  channel_id: Uint8Array;
  receiver: Uint8Array;
  receiver_authorizer: Uint8Array;
  token: Uint8Array;
  cumulative: bigint;
  signature: Uint8Array;
}

const voucherOf = (row: VoucherRow): BatchVoucher => ({
  channel: row.channel,
  channelId: hexOf(row.channel_id),
  receiver: addressOf(row.receiver),
  receiverAuthorizer: addressOf(row.receiver_authorizer),
  token: addressOf(row.token),
  maxClaimableAmount: row.cumulative,
  signature: hexOf(row.signature),
});

/** The batch waits for its claims: its own transaction's, or (null) those that its payers sign for themselves. */
export async function markSubmitted(tx: Tx, batchId: bigint, transactionId: bigint | null): Promise<void> {
  await tx`
    UPDATE batch SET state = 'submitted', transaction_id = ${transactionId},
      attempts = attempts + ${transactionId === null ? 0 : 1}
    WHERE id = ${batchId}`;
}

/** Whether something of the batch is yet to be claimed by the transactions of payers who sign for themselves. */
export async function awaitsPayers(tx: Tx, batchId: bigint): Promise<boolean> {
  const [row] = await tx`
    SELECT FROM ${unclaimed(tx)} JOIN channel c ON c.id = p.channel
    WHERE p.batch_id = ${batchId} AND c.payer_authorizer = ${zeroAddressBytes} LIMIT 1`;
  return row !== undefined;
}

/** The transaction of the newest claim that covers a payment of the batch `b`. */
const lastClaim = (sql: Sql | Tx) => sql`(
  SELECT k.transaction_hash FROM payment p JOIN channel_claim k ON k.channel = p.channel
  WHERE p.batch_id = b.id AND k.before < p.cumulative AND k.after >= p.cumulative ORDER BY k.id DESC LIMIT 1)`;

const hasClaims = (sql: Sql | Tx) => sql`EXISTS (
  SELECT FROM payment p JOIN channel c ON c.id = p.channel WHERE p.batch_id = b.id AND p.cumulative <= c.claimed)`;

/** What a batch `b` is when nothing of it is left to claim: settled, or lost if the chain took none of it. */
const ended = (sql: Sql | Tx, now: number) => sql`
  state = CASE WHEN ${hasClaims(sql)} THEN 'settled' ELSE 'lost' END,
  settled_at = CASE WHEN ${hasClaims(sql)} THEN ${now}::bigint END,
  transaction_hash = ${lastClaim(sql)}`;

/** Nothing is left to claim: all was claimed by later vouchers of the same channels, or the contract takes none of it. */
export async function closeSettlement(tx: Tx, batchId: bigint, now: number): Promise<void> {
  await tx`UPDATE batch b SET ${ended(tx, now)} WHERE id = ${batchId}`;
}

/** Whether the block of a transaction `t` is indexed: what its events claimed is in the tables. */
const isIndexed = (sql: Sql) => sql`EXISTS (
  SELECT FROM chain_block k WHERE k.run_id = t.run_id AND k.number = t.block_number AND k.hash = t.block_hash
    AND k.retracted_as IS NULL)`;

/** Whether the transaction of the batch `b` claimed something. */
const hasClaimed = (sql: Sql) => sql`EXISTS (
  SELECT FROM chain_transaction t JOIN channel_claim k ON k.block_hash = t.block_hash AND k.transaction_hash = t.hash
  WHERE t.id = b.transaction_id)`;

/**
 * Puts submitted batches back whose transaction failed, or did its work and has left something to claim: the next part of
 * a large batch. A claim that comes twice moves nothing, so this does not wait until the block is final: a payer may be on
 * its way out, and a part that a reorganisation drops is claimed again. After a failure the next try leaves out what cannot
 * be claimed.
 */
export async function reopenUnclaimed(sql: Sql, runId: bigint): Promise<{ id: bigint; failures: number }[]> {
  return sql<{ id: bigint; failures: number }[]>`
    UPDATE batch b SET state = 'closed', failures = CASE
      WHEN b.transaction_id IS NULL THEN b.failures WHEN ${hasClaimed(sql)} THEN 0 ELSE b.failures + 1 END
    WHERE b.run_id = ${runId} AND b.state = 'submitted' AND (
      EXISTS (SELECT FROM chain_transaction t WHERE t.id = b.transaction_id AND ${failedSoFar(sql)})
      OR ((b.transaction_id IS NULL
           OR EXISTS (SELECT FROM chain_transaction t WHERE t.id = b.transaction_id
                        AND (t.final OR (t.state = 'mined' AND ${isIndexed(sql)}))))
          AND EXISTS (SELECT FROM ${unclaimedByKey(sql)} WHERE p.batch_id = b.id)))
    RETURNING b.id, b.failures`;
}

/** Settles submitted batches of which nothing is left to claim, by whichever transaction. */
export async function settleClaimed(sql: Sql, runId: bigint, now: number): Promise<void> {
  await sql`
    UPDATE batch b SET ${ended(sql, now)}
    WHERE b.run_id = ${runId} AND b.state = 'submitted'
      AND (b.transaction_id IS NULL
           OR EXISTS (SELECT FROM chain_transaction t WHERE t.id = b.transaction_id AND t.state = 'mined'))
      AND NOT EXISTS (SELECT FROM ${unclaimed(sql)} WHERE p.batch_id = b.id)`;
}
