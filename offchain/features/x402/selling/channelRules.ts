import type { PaymentRequirements, VerifyResponse } from "@x402/core/types";
import type { Hex } from "viem";
import { answersForItself, type VoucherClaim } from "../contract.ts";
import type { Shop, X402Request } from "../service.ts";
import type { SoldChannel } from "../store/channels.ts";

/** What the official server lets pass, and a shop must not. The codes are those of the official package where it has one. */
const mismatch = "invalid_batch_settlement_evm_cumulative_amount_mismatch";
const busy = "invalid_batch_settlement_evm_channel_busy";
const leaving = "invalid_batch_settlement_evm_withdrawal_pending";
const published = "invalid_batch_settlement_evm_refund_voucher_is_public";
const partial = "invalid_batch_settlement_evm_refund_of_a_part";

/** A channel's payment as `readPayment` lets it through. */
export interface ChannelPayment {
  readonly type: "deposit" | "voucher" | "refund";
  readonly channelConfig: VoucherClaim["voucher"]["channel"];
  readonly voucher: { readonly channelId: Hex; readonly maxClaimableAmount: string; readonly signature: Hex };
  readonly amount?: string;
}

/**
 * Why this payment by a channel is refused before anybody judges it; null: it is not.
 * @throws what keeps the record or the chain from being read
 */
export async function channelFault(
  shop: Shop,
  payment: ChannelPayment,
  { amount }: Pick<PaymentRequirements, "amount">,
): Promise<string | null> {
  const { channelId, maxClaimableAmount } = payment.voucher;
  const record = await openRecord(shop, channelId);
  if (record === "closing") return busy;
  if (payment.type === "refund") return refundFault(payment, record);
  if (record) return null;
  // The official server takes a channel that it does not know for one that was charged up to this voucher: the chain knows.
  const { totalClaimed } = await shop.onChain(channelId);
  return BigInt(maxClaimableAmount) - BigInt(amount) === totalClaimed ? null : mismatch;
}

/** A payer that takes its money back buys nothing with it: what is recorded of the channel is older than that may be. */
export const withdrawalFault = ({ extra }: VerifyResponse): string | null =>
  Number((extra as { withdrawRequestedAt?: unknown } | undefined)?.withdrawRequestedAt ?? 0) > 0
    ? leaving
    : null;

/**
 * Whoever knows a channel's newest voucher may ask for its refund, which costs gas: once the voucher was claimed, everybody
 * does. A channel is refunded wholly or not at all, so that it cannot be asked for again and again.
 */
function refundFault({ amount, voucher }: ChannelPayment, record: SoldChannel | null): string | null {
  if (amount !== undefined) return partial;
  return record && BigInt(voucher.maxClaimableAmount) <= BigInt(record.totalClaimed) ? published : null;
}

/**
 * The channel's record. Of one that was being refunded it is found out first what became of that: the record says nothing
 * true any more once the money has gone back.
 */
async function openRecord(
  { channels, facilitator }: Shop,
  channelId: Hex,
): Promise<SoldChannel | "closing" | null> {
  const record: SoldChannel | undefined = await channels.get(channelId);
  if (!record?.closing) return record ?? null;
  const { success, errorReason } = await facilitator.settle(record.closing);
  if (!success && isUnknown(errorReason)) return "closing";
  await channels.updateChannel(channelId, (current) => (success ? undefined : current && reopened(current)));
  return success ? null : record;
}

/** Whether a refund that is answered so may take effect still. */
const isUnknown = (reason: string | undefined) =>
  reason === undefined || reason === "settlement_pending" || reason === "unexpected_settle_error";

/** Notes a refund with the channel before it is settled. @returns what ends the note when it is known to have failed */
export async function noteRefund(
  { channels }: Pick<Shop, "channels">,
  request: X402Request,
): Promise<(outcome: { success: boolean; errorReason?: string }) => Promise<void>> {
  const { payload } = request.paymentPayload as { payload: ChannelPayment };
  if (payload.type !== "refund") return async () => {};
  const { channelId } = payload.voucher;
  await channels.updateChannel(channelId, (current) => current && closing(current, request));
  return async ({ success, errorReason }) => {
    if (success || isUnknown(errorReason)) return;
    await channels.updateChannel(channelId, (current) => current && reopened(current));
  };
}

const closing = (record: SoldChannel, request: X402Request): SoldChannel => ({ ...record, closing: request });

function reopened({ closing: _, ...record }: SoldChannel): SoldChannel {
  return record;
}

/**
 * Whether the voucher can be claimed, as far as that is not sure already: a key's voucher was checked as the contract does
 * it, but of a payer without one only its own account says what it signed.
 */
export async function isCollectable(
  shop: Shop,
  { channelConfig, voucher }: ChannelPayment,
): Promise<boolean> {
  if (!answersForItself(channelConfig)) return true;
  const total = BigInt(voucher.maxClaimableAmount);
  return shop.isClaimable({
    voucher: { channel: channelConfig, maxClaimableAmount: total },
    signature: voucher.signature,
    totalClaimed: total,
  });
}
