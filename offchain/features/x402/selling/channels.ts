import type { ChannelStorage, ChannelUpdateResult } from "@x402/evm/batch-settlement/server";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Payments } from "#offchain/features/payments/service.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import {
  channelRecord,
  channelRecords,
  deleteChannelRecord,
  lockChannelRecord,
  type SoldChannel,
  saveChannelRecord,
} from "../store/channels.ts";

/**
 * A channel is reserved so long for a request that died, and serves nobody meanwhile: a third of what the authorization of
 * that request's deposit lives, so that it can still be collected afterwards.
 */
const reservedMs = 20_000;

/**
 * The channels whose vouchers this service holds, in the form that the official server keeps them. A channel whose
 * payments the intake has accepted and not claimed promises that money already: nothing is sold by it.
 */
export function openChannelStorage(
  sql: Sql,
  clock: Clock,
  currentRunId: () => bigint,
  payments: Pick<Payments, "lockPromised">,
): ChannelStorage {
  return {
    get: async (channelId) => channelRecord(sql, currentRunId(), channelId),
    list: async () => channelRecords(sql, currentRunId()),

    async updateChannel(channelId, update) {
      const runId = currentRunId();
      return sql.begin(async (tx): Promise<ChannelUpdateResult> => {
        await lockChannelRecord(tx, runId, channelId);
        const current = await channelRecord(tx, runId, channelId);
        // Within the lock: two requests that pay by one channel must not both build on the same charged sum.
        const channel = briefly(update(current), clock.now());
        if (!current && channel)
          requireUnpromised(channelId, await payments.lockPromised(tx, runId, channelId));
        if (channel === current) return { channel, status: "unchanged" };
        if (!channel) {
          await deleteChannelRecord(tx, runId, channelId);
          return { channel: undefined, status: "deleted" };
        }
        await saveChannelRecord(tx, runId, channelId, channel, clock.now());
        return { channel, status: "updated" };
      });
    },
  };
}

function briefly(channel: SoldChannel | undefined, now: number): SoldChannel | undefined {
  const until = now + reservedMs;
  const pending = channel?.pendingRequest;
  if (!channel || !pending || pending.expiresAt <= until) return channel;
  return { ...channel, pendingRequest: { ...pending, expiresAt: until } };
}

function requireUnpromised(channelId: string, promised: { accepted: bigint; claimed: bigint } | null): void {
  if (promised && promised.accepted > promised.claimed)
    throw new BursarError("CHANNEL_MISMATCH", `channel ${channelId} has promised its money to payments`, {
      facts: { channelId, accepted: promised.accepted, claimed: promised.claimed },
    });
}
