import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import { failedSoFar } from "#offchain/platform/chain/sender/keyStore.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { lockNumbers } from "#offchain/platform/database/lockNumbers.ts";
import { available } from "../rules/channel.ts";
import type { AcceptingChannel } from "../rules/group.ts";
import type { ChannelConfig, ChannelView } from "../service.ts";

/** A channel with its row's id, as the database holds it. */
export interface ChannelRow extends AcceptingChannel {
  runId: bigint;
  config: ChannelConfig;
  index: number | null;
  /** How many deposits of it the chain has seen. */
  deposits: number;
  openedAt: number;
  transactionId: bigint | null;
}

interface Row {
  id: bigint;
  run_id: bigint;
  channel_id: Uint8Array;
  payer: Uint8Array;
  payer_authorizer: Uint8Array;
  receiver: Uint8Array;
  receiver_authorizer: Uint8Array;
  is_cleared: boolean;
  token: Uint8Array;
  unit: UnitCode;
  withdraw_delay: number;
  salt: Uint8Array;
  index: number | null;
  balance: bigint;
  deposits: number;
  claimed: bigint;
  accepted: bigint;
  voucher_signature: Uint8Array | null;
  withdrawable_at: bigint | null;
  opened_at: bigint;
  transaction_id: bigint | null;
}

/**
 * Keeps the intake and the indexer apart, which both write channels. Intakes share the books, because each locks its rows
 * in the same order; the indexer locks them in the chain's order, so it must have the books alone.
 */
export async function lockBooks(tx: Tx, runId: bigint, mode: "shared" | "alone"): Promise<void> {
  const run = Number(BigInt.asIntN(32, runId));
  if (mode === "shared") await tx`SELECT pg_advisory_xact_lock_shared(${lockNumbers.paymentBooks}, ${run})`;
  else await tx`SELECT pg_advisory_xact_lock(${lockNumbers.paymentBooks}, ${run})`;
}

/** Inserts the channel if it is new, in either case returning it. */
export async function saveChannel(
  tx: Tx,
  channel: {
    runId: bigint;
    channelId: `0x${string}`;
    config: ChannelConfig;
    unit: UnitCode;
    isCleared: boolean;
    now: number;
    transactionId?: bigint;
  },
): Promise<ChannelRow> {
  const { runId, channelId, config, unit, isCleared, now } = channel;
  await tx`
    INSERT INTO channel (run_id, channel_id, payer, payer_authorizer, receiver, receiver_authorizer, token,
                         unit, withdraw_delay, salt, is_cleared, opened_at, transaction_id)
    VALUES (${runId}, ${bytesOf(channelId)}, ${bytesOf(config.payer)}, ${bytesOf(config.payerAuthorizer)},
            ${bytesOf(config.receiver)}, ${bytesOf(config.receiverAuthorizer)}, ${bytesOf(config.token)},
            ${unit}, ${config.withdrawDelay}, ${bytesOf(config.salt)}, ${isCleared}, ${now}, ${channel.transactionId ?? null})
    ON CONFLICT (run_id, channel_id) DO UPDATE
      SET transaction_id = coalesce(
        (SELECT t.id FROM chain_transaction t WHERE t.id = channel.transaction_id AND NOT ${failedSoFar(tx)}),
        excluded.transaction_id, channel.transaction_id)`;
  const [saved] = await findChannels(tx, runId, [channelId]);
  if (!saved) throw new Error(`channel ${channelId} vanished while it was saved`);
  return saved;
}

/** The tokens beside USDC that the books of the chain's current run hold channels in. */
export async function bookedTokens(
  sql: Sql,
  chainId: number,
): Promise<{ unit: UnitCode; address: `0x${string}` }[]> {
  const rows = await sql<{ unit: UnitCode; token: Uint8Array }[]>`
    SELECT DISTINCT c.unit, c.token FROM channel c JOIN chain_run r ON r.id = c.run_id
    WHERE r.chain_id = ${chainId} AND r.ended_at IS NULL AND c.unit <> 'USDC'`;
  return rows.map(({ unit, token }) => ({ unit, address: addressOf(token) }));
}

/** Remembers a channel that is in another token, so that its further events are known to be nobody's business here. */
export async function noteForeign(tx: Tx, runId: bigint, channelId: string): Promise<void> {
  await tx`
    INSERT INTO foreign_channel (run_id, channel_id) VALUES (${runId}, ${bytesOf(channelId)}) ON CONFLICT DO NOTHING`;
}

/** A reorganisation dropped its opening: the next one is judged by itself. */
export async function forgetForeign(tx: Tx, runId: bigint, channelId: string): Promise<void> {
  await tx`DELETE FROM foreign_channel WHERE run_id = ${runId} AND channel_id = ${bytesOf(channelId)}`;
}

export async function isForeign(tx: Tx, runId: bigint, channelId: string): Promise<boolean> {
  const [row] = await tx`
    SELECT FROM foreign_channel WHERE run_id = ${runId} AND channel_id = ${bytesOf(channelId)}`;
  return row !== undefined;
}

export async function findChannels(
  sql: Sql | Tx,
  runId: bigint,
  ids: readonly string[],
): Promise<ChannelRow[]> {
  const rows = await sql<Row[]>`
    SELECT * FROM channel WHERE run_id = ${runId} AND channel_id = ANY(${list(ids.map(bytesOf))}::text[]::bytea[])`;
  return rows.map(channelOf);
}

/** The channels by id, locked in the order of their rows so that two transactions never wait for each other. */
export async function lockChannels(
  tx: Tx,
  runId: bigint,
  ids: readonly string[],
): Promise<Map<string, ChannelRow>> {
  const rows = await tx<Row[]>`
    SELECT * FROM channel WHERE run_id = ${runId} AND channel_id = ANY(${list([...new Set(ids)].map(bytesOf))}::text[]::bytea[])
    ORDER BY id FOR UPDATE`;
  return new Map(rows.map((row) => [hexOf(row.channel_id), channelOf(row)]));
}

/** The channels by the numbers that packed claims name them by, locked in the order of their rows. */
export async function lockByIndex(
  tx: Tx,
  runId: bigint,
  indexes: readonly number[],
): Promise<Map<number | null, ChannelRow>> {
  const rows = await tx<Row[]>`
    SELECT * FROM channel WHERE run_id = ${runId} AND index = ANY(${list(indexes)}::integer[]) ORDER BY id FOR UPDATE`;
  return new Map(rows.map((row) => [row.index, channelOf(row)]));
}

/** The number by which packed claims name the channel; null after a reorg dropped its opening. */
export async function setIndex(
  tx: Tx,
  runId: bigint,
  channelId: string,
  index: number | null,
): Promise<void> {
  await tx`UPDATE channel SET index = ${index} WHERE run_id = ${runId} AND channel_id = ${bytesOf(channelId)}`;
}

/** Stores the newest accepted vouchers of channels. */
export async function saveAccepted(tx: Tx, channels: readonly AcceptingChannel[]): Promise<void> {
  await tx`
    UPDATE channel SET accepted = new.accepted, voucher_signature = new.signature
    FROM unnest(${list(channels.map(({ id }) => id))}::bigint[], ${list(channels.map(({ accepted }) => accepted.toString()))}::numeric[],
                ${list(channels.map(({ voucherSignature }) => voucherSignature))}::text[]::bytea[]) AS new(id, accepted, signature)
    WHERE channel.id = new.id`;
}

/** Of one run of the chain, newest first. `before` is the last row already seen. */
export async function listChannels(
  sql: Sql,
  runId: bigint,
  query: {
    payer?: string | undefined;
    receiver?: string | undefined;
    before?: bigint | undefined;
    limit: number;
  },
): Promise<ChannelRow[]> {
  const rows = await sql<Row[]>`
    SELECT * FROM channel
    WHERE run_id = ${runId}
      ${query.payer ? sql`AND payer = ${bytesOf(query.payer)}` : sql``}
      ${query.receiver ? sql`AND receiver = ${bytesOf(query.receiver)}` : sql``}
      ${query.before ? sql`AND id < ${query.before}` : sql``}
    ORDER BY id DESC LIMIT ${query.limit}`;
  return rows.map(channelOf);
}

/** @param asker who has proved to be so; its vouchers are its own */
export function channelView(channel: ChannelRow, asker: `0x${string}` | null = null): ChannelView {
  const isOwn = [channel.payer, channel.payerAuthorizer].some(
    (one) => one.toLowerCase() === asker?.toLowerCase(),
  );
  const money = (amount: bigint) => ({ amount: formatAmount(amount, channel.unit), unit: channel.unit });
  return {
    channelId: channel.channelId,
    config: channel.config,
    isCleared: channel.isCleared,
    state: stateOf(channel),
    deposit: money(channel.balance),
    deposits: channel.deposits,
    accepted: money(channel.accepted),
    voucherSignature: isOwn && channel.voucherSignature ? hexOf(channel.voucherSignature) : null,
    claimed: money(channel.claimed),
    available: money(available(channel)),
    openedAt: channel.openedAt,
    transactionId: channel.transactionId?.toString() ?? null,
  };
}

function stateOf(channel: ChannelRow): ChannelView["state"] {
  if (channel.index === null) return "opening";
  if (channel.withdrawableAt !== null) return "closing";
  return channel.balance === channel.claimed && channel.balance > 0n && available(channel) === 0n
    ? "closed"
    : "open";
}

function channelOf(row: Row): ChannelRow {
  const config = {
    payer: addressOf(row.payer),
    payerAuthorizer: addressOf(row.payer_authorizer),
    receiver: addressOf(row.receiver),
    receiverAuthorizer: addressOf(row.receiver_authorizer),
    token: addressOf(row.token),
    withdrawDelay: row.withdraw_delay,
    salt: hexOf(row.salt),
  };
  return {
    id: row.id,
    runId: row.run_id,
    channelId: hexOf(row.channel_id),
    config,
    payer: config.payer,
    payerAuthorizer: config.payerAuthorizer,
    receiver: config.receiver,
    isCleared: row.is_cleared,
    unit: row.unit,
    index: row.index,
    balance: row.balance,
    deposits: row.deposits,
    claimed: row.claimed,
    accepted: row.accepted,
    voucherSignature: row.voucher_signature,
    withdrawableAt: row.withdrawable_at === null ? null : Number(row.withdrawable_at),
    openedAt: Number(row.opened_at),
    transactionId: row.transaction_id,
  };
}
