import { BursarError } from "#offchain/core/error.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";

/** A payment channel as the service knows it: the chain's figures and what it has accepted beyond them. Base units. */
export interface Channel {
  channelId: `0x${string}`;
  payer: `0x${string}`;
  /** Signs vouchers; the zero address means the payer itself. */
  payerAuthorizer: `0x${string}`;
  receiver: `0x${string}`;
  /** The receiver is Clearing: payments name any payee. */
  isCleared: boolean;
  unit: UnitCode;
  /** On the chain: deposits less refunds and withdrawals. */
  balance: bigint;
  /** On the chain: the receiver's part of the balance. */
  claimed: bigint;
  /** The cumulative amount of the newest accepted voucher; at least `claimed`. */
  accepted: bigint;
  /** The payer has started to withdraw: when it may finish, epoch ms. */
  withdrawableAt: number | null;
}

export interface Voucher {
  channelId: `0x${string}`;
  /** Cumulative, this payment included. */
  maxClaimableAmount: bigint;
  /** What the payer says this payment adds; checked if given. */
  amount?: bigint | undefined;
  /** Whom the payer means to pay; checked if given. */
  payee?: string | undefined;
}

/** The deposit that is not promised yet: the most that a new voucher may add. */
export const available = (channel: Channel): bigint => channel.balance - channel.accepted;

/**
 * Whether a correctly signed voucher may be accepted now, and the amount that it adds.
 * Accepting it reserves its amount: nothing beyond the deposit is ever promised (see x402-foundation/x402#3464).
 * @throws BursarError CHANNEL_MISMATCH, CHANNEL_CLOSING, VOUCHER_STALE, VOUCHER_OVER_DEPOSIT, AMOUNT_INVALID
 */
export function acceptVoucher(channel: Channel, voucher: Voucher): bigint {
  const amount = assertAcceptable(channel, voucher);
  if (voucher.amount !== undefined && voucher.amount !== amount)
    throw amountInvalid(channel, amount, voucher.amount);
  return amount;
}

/**
 * As {@link acceptVoucher}, while vouchers before this one may be accepted yet: what is refused here stays refused.
 * @returns the most that it may add
 */
export function assertAcceptable(channel: Channel, voucher: Voucher): bigint {
  const { channelId } = channel;
  const written = (value: bigint) => amountInWords(channel, value);
  if (
    !channel.isCleared &&
    voucher.payee !== undefined &&
    voucher.payee.toLowerCase() !== channel.receiver.toLowerCase()
  )
    throw new BursarError("CHANNEL_MISMATCH", `channel pays ${channel.receiver}, not ${voucher.payee}`, {
      facts: { channelId, payee: voucher.payee, receiver: channel.receiver },
      fields: [{ field: "payee", message: "must be the channel's receiver", value: voucher.payee }],
    });
  if (voucher.maxClaimableAmount <= channel.accepted)
    throw new BursarError(
      "VOUCHER_STALE",
      `voucher promises ${written(voucher.maxClaimableAmount)} in total; ${written(channel.accepted)} is promised already`,
      { facts: { channelId, got: voucher.maxClaimableAmount, accepted: channel.accepted } },
    );
  if (channel.withdrawableAt !== null)
    throw new BursarError("CHANNEL_CLOSING", "the payer is withdrawing; the channel takes no new vouchers", {
      facts: { channelId, withdrawableAt: channel.withdrawableAt },
    });
  if (voucher.maxClaimableAmount > channel.balance)
    throw new BursarError(
      "VOUCHER_OVER_DEPOSIT",
      `voucher promises ${written(voucher.maxClaimableAmount)} in total; the channel holds ${written(channel.balance)}`,
      { facts: { channelId, got: voucher.maxClaimableAmount, limit: channel.balance } },
    );
  const amount = voucher.maxClaimableAmount - channel.accepted;
  if (voucher.amount !== undefined && voucher.amount > amount)
    throw amountInvalid(channel, amount, voucher.amount);
  return amount;
}

const amountInWords = ({ unit }: Channel, value: bigint): string => `${formatAmount(value, unit)} ${unit}`;

const amountInvalid = (channel: Channel, added: bigint, got: bigint) =>
  new BursarError(
    "AMOUNT_INVALID",
    `voucher adds ${amountInWords(channel, added)}, not ${amountInWords(channel, got)}`,
    {
      facts: { channelId: channel.channelId, got, added, accepted: channel.accepted },
      fields: [
        {
          field: "amount",
          message: "must be what the voucher adds",
          value: formatAmount(got, channel.unit),
        },
      ],
    },
  );
