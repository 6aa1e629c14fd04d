import type { FacilitatorClient } from "@x402/core/server";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/server";
import type { Hex } from "viem";
import type { Shop } from "../service.ts";
import type { SoldChannel } from "../store/channels.ts";

type Manager = ReturnType<BatchSettlementEvmScheme["createChannelManager"]>;

/** Claims of one transaction, at most: more are not settled. */
const claimsEach = 100;

/**
 * Gas of one claim among many, at most: some 20,400 were measured for a payer with a key, the rest is for a payer that
 * is a contract. A hundred, the most of one transaction, stay far below 2^24.
 */
export const gasPerClaim = 40_000n;

/**
 * Brings to the chain what the channels' newest vouchers have earned, and has it paid out. Begun anew after a crash it
 * claims the same once: a channel's claimed sum only grows, and the facilitator answers a repeated claim from its record.
 * @returns how many channels were claimed, which ones the chain refused in part or wholly, and the transaction that paid out
 */
export async function claimSales(
  shop: Shop,
): Promise<{ claims: number; refused: string[]; settled: string | null }> {
  const { facilitator, network, payTo, token } = shop;
  const scheme = new BatchSettlementEvmScheme(payTo, {
    storage: shop.channels,
    receiverAuthorizerSigner: shop.authorizer,
  });
  const client = {
    settle: (paymentPayload: unknown, paymentRequirements: unknown) =>
      facilitator.settle({ x402Version: 2, paymentPayload, paymentRequirements }),
  } as unknown as FacilitatorClient;
  const manager = scheme.createChannelManager(client, network, token.address);
  const owing = (await shop.channels.list()).filter(
    ({ chargedCumulativeAmount, totalClaimed }) => BigInt(chargedCumulativeAmount) > BigInt(totalClaimed),
  );
  const refused: SoldChannel[] = [];
  let claims = 0;
  for (let from = 0; from < owing.length; from += claimsEach)
    claims += await claim(manager, owing.slice(from, from + claimsEach), refused);
  for (const channel of refused) claims += await claimHeld(shop, manager, channel);
  // Asked also when nothing was claimed now: an earlier run may have died after its claim.
  const settled = await manager.settle().catch(unlessNothing);
  return {
    claims,
    refused: refused.map(({ channelId }) => channelId),
    settled: settled?.transaction ?? null,
  };
}

/**
 * Claims the channels together. Where the chain refuses that, each half by itself: one that cannot be claimed, because its
 * payer has withdrawn or is a contract that now denies its voucher, must not keep the others back.
 * @returns how many were claimed
 */
async function claim(manager: Manager, channels: SoldChannel[], refused: SoldChannel[]): Promise<number> {
  try {
    const claimed = await manager.claim({ selectClaimChannels: () => channels });
    return claimed.reduce((sum, { vouchers }) => sum + vouchers, 0);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (channels.length <= 1) {
      refused.push(...channels);
      return 0;
    }
    const half = Math.ceil(channels.length / 2);
    return (
      (await claim(manager, channels.slice(0, half), refused)) +
      (await claim(manager, channels.slice(half), refused))
    );
  }
}

/** A channel that was charged for more than it holds pays what it holds; its record's balance is believed no longer. */
async function claimHeld(
  { channels, balanceOf }: Shop,
  manager: Manager,
  channel: SoldChannel,
): Promise<number> {
  const { channelId, chargedCumulativeAmount, totalClaimed } = channel;
  const balance = await balanceOf(channelId as Hex);
  if (balance >= BigInt(chargedCumulativeAmount) || balance <= BigInt(totalClaimed)) return 0;
  await channels.updateChannel(channelId, (current) => current && { ...current, onchainSyncedAt: 0 });
  return claim(manager, [{ ...channel, chargedCumulativeAmount: balance.toString() }], []);
}

/** What the official manager throws is a text with the facilitator's code. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && /claim_(simulation|transaction)_failed/.test(error.message);

function unlessNothing(error: unknown): null {
  if (error instanceof Error && error.message.includes("nothing_to_settle")) return null;
  throw error;
}
