import type { ChannelUpdateResult } from "@x402/evm/batch-settlement/server";
import { bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { X402Request } from "../service.ts";

/** A channel in the form that the official server keeps it, and what it does not keep. */
export type SoldChannel = NonNullable<ChannelUpdateResult["channel"]> & {
  /** The payment that it was charged for last, by its key. */
  chargedBy?: `0x${string}`;
  /** Its refund, which is on its way or may be: until that is known the channel pays for nothing. */
  closing?: X402Request;
};

/** Those of the channels by which priced actions are paid, lower-case. */
export async function soldChannels(tx: Tx, runId: bigint, ids: readonly string[]): Promise<Set<string>> {
  const rows = await tx<{ channel_id: Uint8Array }[]>`
    SELECT channel_id FROM x402_channel
    WHERE run_id = ${runId} AND channel_id = ANY(${list(ids.map(bytesOf))}::text[]::bytea[])`;
  return new Set(rows.map(({ channel_id }) => hexOf(channel_id)));
}

export async function channelRecord(
  sql: Sql | Tx,
  runId: bigint,
  channelId: string,
): Promise<SoldChannel | undefined> {
  const [row] = await sql<{ record: SoldChannel }[]>`
    SELECT record FROM x402_channel WHERE run_id = ${runId} AND channel_id = ${bytesOf(channelId)}`;
  return row?.record;
}

export async function channelRecords(sql: Sql, runId: bigint): Promise<SoldChannel[]> {
  const rows = await sql<{ record: SoldChannel }[]>`
    SELECT record FROM x402_channel WHERE run_id = ${runId} ORDER BY channel_id`;
  return rows.map(({ record }) => record);
}

/** Whoever changes a channel goes one after the other, also before there is a row to lock. */
export async function lockChannelRecord(tx: Tx, runId: bigint, channelId: string): Promise<void> {
  const name = `channel:${runId}:${channelId.toLowerCase()}`;
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
}

export async function saveChannelRecord(
  tx: Tx,
  runId: bigint,
  channelId: string,
  record: SoldChannel,
  now: number,
): Promise<void> {
  await tx`
    INSERT INTO x402_channel VALUES (${runId}, ${bytesOf(channelId)}, ${tx.json(record as never)}, ${now})
    ON CONFLICT (run_id, channel_id) DO UPDATE SET record = excluded.record, updated_at = excluded.updated_at`;
}

export async function deleteChannelRecord(tx: Tx, runId: bigint, channelId: string): Promise<void> {
  await tx`DELETE FROM x402_channel WHERE run_id = ${runId} AND channel_id = ${bytesOf(channelId)}`;
}

/** What the vouchers of those channels promise in all, by lower-case channel id; base units. */
export async function chargedChannels(tx: Tx, runId: bigint): Promise<Map<string, bigint>> {
  const rows = await tx<{ channel_id: Uint8Array; charged: bigint | null }[]>`
    SELECT channel_id, (record ->> 'chargedCumulativeAmount')::numeric(38,0) AS charged
    FROM x402_channel WHERE run_id = ${runId}`;
  return new Map(rows.map(({ channel_id, charged }) => [hexOf(channel_id), charged ?? 0n]));
}
