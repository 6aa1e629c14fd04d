import { z } from "zod";
import { address, bytes32, epochMs, money } from "#offchain/core/schema.ts";

/** A payer withdraws from a channel whose accepted vouchers are not all claimed. */
export const closing = z.object({
  channelId: bytes32,
  payer: address,
  payee: address,
  /** When the payer may take what is unclaimed by then; null: the withdrawal is over. */
  withdrawableAt: epochMs.nullable(),
  unclaimed: money,
  /** A transaction that claims all of it is on its way. */
  isClaiming: z.boolean(),
});

/** Payments in one unit that were accepted since the last event of this kind; each unit has an event of its own, at the same time. */
export const paymentsEvent = z.object({
  type: z.literal("payments"),
  count: z.number().int(),
  value: money,
  perSecond: z.number(),
  at: epochMs,
});

export const batchEvent = z.object({
  type: z.literal("batch"),
  batchId: z.string(),
  state: z.string(),
  at: epochMs,
});

export const closingEvent = closing.extend({ type: z.literal("channel.closing"), at: epochMs });
