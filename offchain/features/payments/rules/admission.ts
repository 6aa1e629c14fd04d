import { BursarError } from "#offchain/core/error.ts";
import type { BatchPolicies } from "./batch.ts";
import { acceptVoucher, assertAcceptable, type Voucher } from "./channel.ts";
import {
  type AcceptingChannel,
  type EarlierPayment,
  Filling,
  type FillingBatch,
  Seen,
  type VerifiedPayment,
} from "./group.ts";

/** A completed work ticket, as a payment for it needs to know it. */
export interface PayableTicket {
  /** Who did the work; checksummed. */
  worker: `0x${string}`;
  /** The payment that paid for it already, if any. */
  paidBy: bigint | null;
}

/** All that a group of payments is decided on, as it stands under the group's locks. */
export interface Circumstances<Row extends EarlierPayment> {
  channels: ReadonlyMap<string, AcceptingChannel>;
  /** Channels that are reserved for priced actions: their vouchers are refused here. */
  sold: ReadonlySet<string>;
  tickets: ReadonlyMap<string, PayableTicket>;
  /** Registered agents by lower-case address, with whether they are suspended. */
  agents: ReadonlyMap<string, boolean>;
  /** The number of the operator's office at the hub; null: its word to payees counts for nothing there. */
  office: number | null;
  earlier: readonly Row[];
  /** At most one of each unit. */
  openBatches: readonly FillingBatch[];
  policies: BatchPolicies;
  /** Epoch ms. */
  now: number;
}

/** A payment that passed every rule, on its way into the tables. */
export interface Admitted {
  /** Its place in the group. */
  at: number;
  payment: VerifiedPayment;
  channel: AcceptingChannel;
  amount: bigint;
  batch: FillingBatch;
  /** By a cleared channel: whose credit it adds to. The hub fills in the figures. */
  credit: Credit | null;
}

export interface Credit {
  /** Lower-case. */
  payee: `0x${string}`;
  /** All that the payee was ever credited, this payment included; base units. */
  cumulative: bigint;
  /** The first epoch that must contain it. */
  epoch: number;
  /** Of the operator whose word it is. */
  office: number;
}

/** What becomes of a group of payments. */
export interface Admission<Row> {
  admitted: Admitted[];
  /** Sent before under the same key, and answered as then. */
  replays: { at: number; row: Row }[];
  /** Under the key of an earlier one of this group: to be decided once that is booked. */
  repeats: number[];
  refusals: { at: number; error: BursarError }[];
  /** The batches that took payments, oldest first. */
  batches: FillingBatch[];
}

/**
 * Decides about a group of verified payments in the order given; each is accepted or refused by itself. What it accepts
 * moves the channels and the open batch on, so that the next is decided on what this one left.
 */
export function admitGroup<Row extends EarlierPayment>(
  payments: readonly VerifiedPayment[],
  circumstances: Circumstances<Row>,
): Admission<Row> {
  const { openBatches, policies, now } = circumstances;
  const seen = new Seen(circumstances.earlier);
  const filling = new Filling(openBatches, policies, now);
  const decided: Admission<Row> = {
    admitted: [],
    replays: [],
    repeats: [],
    refusals: [],
    batches: filling.batches,
  };
  for (const [at, payment] of payments.entries()) {
    try {
      const channel = circumstances.channels.get(payment.channelId);
      if (!channel) throw channelUnknown(payment.channelId);
      const earlier = seen.byKey(payment);
      if (earlier === "now") decided.repeats.push(at);
      else if (earlier) decided.replays.push({ at, row: replay(earlier, payment) });
      else {
        if (circumstances.sold.has(payment.channelId)) throw channelSold(payment.channelId);
        const credit = channel.isCleared ? creditOf(channel, payment, circumstances) : null;
        const amount = admit(channel, payment, credit?.payee ?? null, seen, circumstances.tickets);
        decided.admitted.push({
          at,
          payment,
          channel,
          amount,
          batch: filling.add(amount, channel.unit),
          credit,
        });
        seen.remember(payment);
        channel.accepted = payment.maxClaimableAmount;
        channel.voucherSignature = payment.signature;
      }
    } catch (error) {
      if (!(error instanceof BursarError)) throw error;
      decided.refusals.push({ at, error });
    }
  }
  return decided;
}

/** @throws BursarError VOUCHER_REPLAYED */
function assertNew(
  voucher: Pick<VerifiedPayment, "channelId" | "maxClaimableAmount">,
  seen: Seen<EarlierPayment>,
) {
  const same = seen.byCumulative(voucher);
  if (same !== undefined)
    throw new BursarError("VOUCHER_REPLAYED", `this voucher was already accepted as payment "${same}"`, {
      facts: { channelId: voucher.channelId, cumulative: voucher.maxClaimableAmount, key: same },
    });
}

/**
 * What can be said of a new payment whose signature is not looked at yet, which may cost much: what is refused here would be
 * refused however well it is signed, whatever becomes of the payments before it.
 * @throws BursarError IDEMPOTENCY_CONFLICT, VOUCHER_REPLAYED, and as `acceptVoucher`
 */
export function prejudge(
  channel: AcceptingChannel,
  payment: Voucher & Pick<VerifiedPayment, "key" | "channelId">,
  seen: Seen<EarlierPayment>,
): void {
  const earlier = seen.byKey(payment);
  if (earlier && earlier !== "now") throw keyTaken(earlier, payment);
  assertNew(payment, seen);
  assertAcceptable(channel, payment);
}

/** The amount that a new payment adds; nothing is booked twice. */
function admit(
  channel: AcceptingChannel,
  payment: VerifiedPayment,
  payee: string | null,
  seen: Seen<EarlierPayment>,
  tickets: ReadonlyMap<string, PayableTicket>,
): bigint {
  assertNew(payment, seen);
  const amount = acceptVoucher(channel, payment);
  if (payment.ticketId !== undefined)
    assertPayable(payment.ticketId, payee ?? channel.receiver, seen, tickets);
  return amount;
}

/**
 * A ticket is paid once, and to who did its work.
 * @throws BursarError TICKET_UNKNOWN, TICKET_CLOSED, CHANNEL_MISMATCH
 */
function assertPayable(
  ticketId: string,
  paid: string,
  seen: Seen<EarlierPayment>,
  tickets: ReadonlyMap<string, PayableTicket>,
): void {
  const ticket = tickets.get(ticketId);
  if (!ticket)
    throw new BursarError("TICKET_UNKNOWN", `no completed work ticket ${ticketId} is known here`, {
      facts: { ticketId },
      fields: [{ field: "ticketId", message: "must name a completed ticket", value: ticketId }],
    });
  if (ticket.paidBy !== null || seen.paysTicket(ticketId))
    throw new BursarError("TICKET_CLOSED", `work ticket ${ticketId} is already paid`, {
      facts: { ticketId, paymentId: ticket.paidBy },
    });
  if (ticket.worker.toLowerCase() !== paid.toLowerCase())
    throw new BursarError(
      "CHANNEL_MISMATCH",
      `ticket ${ticketId} is ${ticket.worker}'s work; the payment is to ${paid}`,
      { facts: { ticketId, worker: ticket.worker, receiver: paid } },
    );
}

/**
 * Whom a cleared payment credits. The voucher does not name the payee, so the request must: and only the payer may say,
 * for whoever saw a voucher on its way could otherwise send it in his own name.
 * @throws BursarError SIGNATURE_MISSING, FORBIDDEN, VALIDATION_INVALID_INPUT, AGENT_UNKNOWN, AGENT_SUSPENDED
 */
function creditedPayee(
  channel: AcceptingChannel,
  { payee, submitter }: VerifiedPayment,
  agents: ReadonlyMap<string, boolean>,
): `0x${string}` {
  const { channelId, payer, payerAuthorizer } = channel;
  if (submitter === null)
    throw new BursarError("SIGNATURE_MISSING", "a payment by a cleared channel is sent signed by its payer", {
      facts: { channelId, payer },
    });
  if (![payer, payerAuthorizer].some((one) => one.toLowerCase() === submitter.toLowerCase()))
    throw new BursarError("FORBIDDEN", `only ${payer} or its authorizer pays by this cleared channel`, {
      facts: { channelId, payer, payerAuthorizer, got: submitter },
    });
  const field = (message: string) =>
    new BursarError("VALIDATION_INVALID_INPUT", `payee ${message}`, {
      facts: { channelId, field: "payee", got: payee },
      fields: [{ field: "payee", message, value: payee }],
    });
  if (payee === undefined) throw field("must be named: the channel is cleared");
  const lower = payee.toLowerCase() as `0x${string}`;
  if (lower === payer.toLowerCase()) throw field("must be another than the payer");
  const suspended = agents.get(lower);
  if (suspended === undefined)
    throw new BursarError(
      "AGENT_UNKNOWN",
      `the payee ${payee} is no registered agent; it registers itself by agents.register`,
      {
        facts: { address: payee },
        fields: [{ field: "payee", message: "must be a registered agent", value: payee }],
      },
    );
  if (suspended)
    throw new BursarError("AGENT_SUSPENDED", `agent ${payee} is suspended`, { facts: { address: payee } });
  return lower;
}

/**
 * The credit that a cleared payment adds to.
 * @throws BursarError CLEARING_UNBONDED, and as `creditedPayee`
 */
function creditOf(
  channel: AcceptingChannel,
  payment: VerifiedPayment,
  { agents, office }: Pick<Circumstances<EarlierPayment>, "agents" | "office">,
): Credit {
  const payee = creditedPayee(channel, payment, agents);
  if (office === null)
    throw new BursarError(
      "CLEARING_UNBONDED",
      "this operator is not in office: its word to payees is no good",
      {
        facts: { channelId: channel.channelId },
      },
    );
  return { payee, cumulative: 0n, epoch: 0, office };
}

/** The same key again: the first payment if the request is the same one, else a conflict. */
function replay<Row extends EarlierPayment>(earlier: Row, payment: VerifiedPayment): Row {
  if (isSameRequest(earlier, payment)) return earlier;
  throw keyTaken(earlier, payment);
}

const keyTaken = ({ id }: EarlierPayment, { key }: Pick<VerifiedPayment, "key">) =>
  new BursarError("IDEMPOTENCY_CONFLICT", `key "${key}" was used for another payment on this channel`, {
    facts: { key, paymentId: id },
  });

/** What a request may leave out, because the voucher and its channel say it, counts as said. */
function isSameRequest(earlier: EarlierPayment, payment: VerifiedPayment): boolean {
  const payee = payment.payee ?? (earlier.payee === null ? earlier.receiver : "");
  return (
    earlier.cumulative === payment.maxClaimableAmount &&
    isSame(earlier.signature, payment.signature) &&
    earlier.amount === (payment.amount ?? earlier.amount) &&
    earlier.ticketId === (payment.ticketId ?? null) &&
    earlier.reference === (payment.reference ?? null) &&
    (earlier.payee ?? earlier.receiver).toLowerCase() === payee.toLowerCase()
  );
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);

const channelSold = (channelId: string) =>
  new BursarError(
    "CHANNEL_MISMATCH",
    `channel ${channelId} pays for priced actions; one voucher cannot pay for two things`,
    { facts: { channelId } },
  );

export const channelUnknown = (channelId: string) =>
  new BursarError("CHANNEL_UNKNOWN", `no channel ${channelId} is known here; open it with a deposit first`, {
    facts: { channelId },
  });
