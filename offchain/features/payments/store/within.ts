import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import { addressOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { chainAccount, channelAccount } from "../rules/accounts.ts";
import type { ChannelTokens } from "../rules/tokens.ts";
import type { ChannelParties, ChannelsWithin } from "../service.ts";

/** Channels as the snapshot of another feature's transaction sees them. */
export const channelsOfSnapshot = (tokens: ChannelTokens): ChannelsWithin => ({
  async channelsWithin(tx, runId) {
    const rows = await tx<
      { id: bigint; channel_id: Uint8Array; unit: UnitCode; balance: bigint; claimed: bigint }[]
    >`
      SELECT id, channel_id, unit, balance, claimed FROM channel WHERE run_id = ${runId} ORDER BY id`;
    return {
      tokens: tokens.all,
      outside: chainAccount(runId),
      channels: rows.map(({ id, channel_id, unit, balance, claimed }) => ({
        channelId: hexOf(channel_id),
        account: channelAccount({ id }),
        unit,
        balance,
        claimed,
      })),
    };
  },
  partiesWithin: readParties,
});

async function readParties(
  tx: Tx,
  runId: bigint,
  accounts: readonly AccountName[],
): Promise<Map<AccountName, ChannelParties>> {
  const ids = accounts.flatMap((name) => /^channel:(\d{1,18})$/.exec(name)?.[1] ?? []);
  if (ids.length === 0) return new Map();
  const rows = await tx<
    { id: bigint; channel_id: Uint8Array; payer: Uint8Array; receiver: Uint8Array; claimed: bigint }[]
  >`
    SELECT id, channel_id, payer, receiver, claimed FROM channel WHERE run_id = ${runId} AND id = ANY(${list(ids)}::text[]::bigint[])`;
  return new Map(
    rows.map(({ id, channel_id, payer, receiver, claimed }) => [
      channelAccount({ id }),
      {
        channelId: hexOf(channel_id),
        payer: addressOf(payer),
        receiver: addressOf(receiver),
        claimed,
      },
    ]),
  );
}
