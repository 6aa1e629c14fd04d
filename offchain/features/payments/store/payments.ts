import { getAddress } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { knownAgents } from "#offchain/features/agents/store.ts";
import { addCredits, nextRoot } from "#offchain/features/clearing/store.ts";
import { applyTaken } from "#offchain/features/ledger/books/apply.ts";
import type { Books } from "#offchain/features/ledger/books/books.ts";
import type { LedgerOperation } from "#offchain/features/ledger/rules.ts";
import { takeLedger } from "#offchain/features/ledger/store/write.ts";
import { soldChannels } from "#offchain/features/x402/store/channels.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { copyInto } from "#offchain/platform/database/copy.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { type BatchPolicy, fullBy } from "../batchPolicy.ts";
import { acceptVoucher } from "../rules.ts";
import type { Receipt } from "../service.ts";
import { type FillingBatch, lockOpenBatch, openBatch, saveBatch } from "./batches.ts";
import {
  type ChannelRow,
  channelAccount,
  lockBooks,
  lockChannels,
  payeeAccount,
  saveAccepted,
} from "./channels.ts";
import { type PaymentRow, paymentsLike, receiptOf, rowReceipt, type TicketFacts } from "./receipts.ts";
import { type PayableTicket, payableTickets, ticketFacts } from "./tickets.ts";

/** A payment whose signature is verified, ready to be booked. */
export interface VerifiedPayment {
  channelId: `0x${string}`;
  key: string;
  maxClaimableAmount: bigint;
  /** ERC-2098 form; of a channel without a key of its own, as its payer's check takes it. */
  signature: Uint8Array;
  amount: bigint | undefined;
  payee: string | undefined;
  ticketId: string | undefined;
  reference: string | undefined;
  /** Who signed the request that carried it, if anybody did. */
  submitter: string | null;
}

/** What came of a verified payment; the operator has not signed its receipt. */
export type BookedPayment =
  | {
      ok: true;
      receipt: Receipt;
      /** Base units. */
      amount: bigint;
      replayed: boolean;
    }
  | { ok: false; error: BursarError };

/** How the intake books. */
export interface Booking {
  epochId: bigint;
  policy: BatchPolicy;
  /** Epoch ms. */
  now: number;
  /** The ledger's, kept from group to group; to be cleared when a group fails. */
  books: Books;
  /**
   * Whether to look for payments under the same key behind every voucher. A voucher that promises more than those before
   * it is new as a rule, so only the others are looked for; a key that was used all the same fails the group (23505).
   */
  areKeysSought: boolean;
}

/** A payment that passed every rule, on its way into the tables. */
interface Admitted {
  at: number;
  payment: VerifiedPayment;
  channel: ChannelRow;
  amount: bigint;
  batch: FillingBatch;
  /** By a cleared channel: whose credit it adds to. */
  credit: Credit | null;
}

interface Credit {
  /** Lower-case. */
  payee: `0x${string}`;
  /** All that the payee was ever credited, this payment included; base units. */
  cumulative: bigint;
  root: number;
}

/**
 * Books verified payments in the order given, in the caller's transaction: their vouchers, the ledger's pending
 * transfers that reserve them, and the batches that they fill. Each is accepted or refused by itself.
 */
export async function bookPayments(
  tx: Tx,
  payments: readonly VerifiedPayment[],
  booking: Booking,
): Promise<BookedPayment[]> {
  const { epochId, policy, now, books } = booking;
  const ids = [...new Set(payments.map(({ channelId }) => channelId))];
  // All at once on one connection: they run in this order, in one round trip. Locks are always taken in this order.
  const [, channels, open, , sold, tickets, payees, paymentIds] = await Promise.all([
    lockBooks(tx, epochId, "shared"),
    lockChannels(tx, epochId, ids),
    lockOpenBatch(tx, epochId),
    takeLedger(tx, books),
    soldChannels(tx, epochId, ids),
    payableTickets(
      tx,
      payments.flatMap(({ ticketId }) => ticketId ?? []),
    ),
    namedPayees(tx, payments),
    takeIds(tx, payments.length),
  ]);
  const seen = await Seen.load(tx, payments, channels, booking.areKeysSought);
  const filling = new Filling(tx, epochId, policy, now, open);
  const outcomes: BookedPayment[] = new Array(payments.length);
  const admitted: Admitted[] = [];
  const repeats: number[] = [];
  for (const [at, payment] of payments.entries()) {
    try {
      const channel = channels.get(payment.channelId);
      if (!channel) throw channelUnknown(payment.channelId);
      const earlier = seen.byKey(payment);
      if (earlier === "now") repeats.push(at);
      else if (earlier) outcomes[at] = await replay(tx, earlier, payment);
      else {
        if (sold.has(payment.channelId)) throw channelSold(payment.channelId);
        const payee = channel.isCleared ? creditedPayee(channel, payment, payees) : null;
        const amount = admit(channel, payment, payee, seen, tickets);
        const credit = payee && { payee, cumulative: 0n, root: 0 };
        // Waits only when a batch is full.
        const batch = filling.add(amount) ?? (await filling.addToNext(amount));
        admitted.push({ at, payment, channel, amount, batch, credit });
        seen.remember(payment);
        channel.accepted = payment.maxClaimableAmount;
        channel.voucherSignature = payment.signature;
      }
    } catch (error) {
      if (!(error instanceof BursarError)) throw error;
      outcomes[at] = { ok: false, error };
    }
  }
  if (admitted.length > 0) {
    const [transferIds] = await Promise.all([
      reserve(tx, admitted, booking),
      bookCredits(tx, epochId, admitted, now),
      saveAccepted(tx, [...new Set(admitted.map(({ channel }) => channel))]),
      filling.save(),
    ]);
    await insert(tx, admitted, { paymentIds, transferIds, now });
    for (const [index, one] of admitted.entries()) {
      const receipt = receiptFor(one, paymentIds[index] ?? 0n, tickets, now);
      outcomes[one.at] = { ok: true, receipt, amount: one.amount, replayed: false };
    }
  }
  if (repeats.length > 0) {
    const again = await bookPayments(
      tx,
      repeats.flatMap((at) => payments[at] ?? []),
      { ...booking, areKeysSought: true },
    );
    for (const [index, outcome] of again.entries()) outcomes[repeats[index] ?? -1] = outcome;
  }
  return outcomes;
}

/** Numbers for new payments, ascending; those of refused ones stay unused. */
async function takeIds(tx: Tx, count: number): Promise<bigint[]> {
  const [row] = await tx<{ ids: string }[]>`
    SELECT string_agg(nextval('payment_id_seq')::text, ',') AS ids
    FROM generate_series(1, ${count})`;
  return row?.ids.split(",").map(BigInt) ?? [];
}

/** The rules beyond the voucher's own: nothing is booked twice, and a ticket is paid once, by and to the right agent. */
function admit(
  channel: ChannelRow,
  payment: VerifiedPayment,
  payee: string | null,
  seen: Seen,
  tickets: Map<string, PayableTicket>,
): bigint {
  const same = seen.byCumulative(payment);
  if (same !== undefined)
    throw new BursarError("VOUCHER_REPLAYED", `this voucher was already accepted as payment "${same}"`, {
      facts: { channelId: channel.channelId, cumulative: payment.maxClaimableAmount, key: same },
    });
  const amount = acceptVoucher(channel, payment);
  if (payment.ticketId === undefined) return amount;
  const ticket = tickets.get(payment.ticketId);
  if (!ticket)
    throw new BursarError("TICKET_UNKNOWN", `no completed work ticket ${payment.ticketId} is known here`, {
      facts: { ticketId: payment.ticketId },
      fields: [{ field: "ticketId", message: "must name a completed ticket", value: payment.ticketId }],
    });
  if (ticket.paidBy !== null || seen.paysTicket(payment.ticketId))
    throw new BursarError("TICKET_CLOSED", `work ticket ${payment.ticketId} is already paid`, {
      facts: { ticketId: payment.ticketId, paymentId: ticket.paidBy },
    });
  const paid = payee ?? channel.receiver;
  if (ticket.worker.toLowerCase() !== paid.toLowerCase())
    throw new BursarError(
      "CHANNEL_MISMATCH",
      `ticket ${payment.ticketId} is ${ticket.worker}'s work; the payment is to ${paid}`,
      {
        facts: { ticketId: payment.ticketId, worker: ticket.worker, receiver: paid },
      },
    );
  return amount;
}

/** The agents that payments name, lower-case, with whether they are suspended. */
async function namedPayees(tx: Tx, payments: readonly VerifiedPayment[]): Promise<Map<string, boolean>> {
  const named = new Set(payments.flatMap(({ payee }) => payee ?? []));
  return named.size === 0 ? new Map() : knownAgents(tx, [...named]);
}

/**
 * Whom a cleared payment credits. The voucher does not name the payee, so the request must: and only the payer may say,
 * for whoever saw a voucher on its way could otherwise send it in his own name.
 * @throws BursarError SIGNATURE_MISSING, FORBIDDEN, VALIDATION_INVALID_INPUT, AGENT_UNKNOWN, AGENT_SUSPENDED
 */
function creditedPayee(
  channel: ChannelRow,
  { payee, submitter }: VerifiedPayment,
  payees: Map<string, boolean>,
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
  const suspended = payees.get(lower);
  if (suspended === undefined)
    throw new BursarError("AGENT_UNKNOWN", `no agent ${payee} is registered here`, {
      facts: { address: payee },
      fields: [{ field: "payee", message: "must be a registered agent", value: payee }],
    });
  if (suspended)
    throw new BursarError("AGENT_SUSPENDED", `agent ${payee} is suspended`, { facts: { address: payee } });
  return lower;
}

/** Credits the payees of cleared payments, and writes into each payment where its payee then stands. */
async function bookCredits(
  tx: Tx,
  epochId: bigint,
  admitted: readonly Admitted[],
  now: number,
): Promise<void> {
  const added = new Map<string, bigint>();
  for (const { credit, amount } of admitted)
    if (credit) added.set(credit.payee, (added.get(credit.payee) ?? 0n) + amount);
  if (added.size === 0) return;
  const [standings, root] = [await addCredits(tx, epochId, added, now), await nextRoot(tx, epochId)];
  for (const { credit, amount } of admitted) {
    if (!credit) continue;
    credit.cumulative = (standings.get(credit.payee) ?? 0n) + amount;
    credit.root = root;
    standings.set(credit.payee, credit.cumulative);
  }
}

/** The same key again: the first receipt if the request is the same one, else a conflict. */
async function replay(tx: Tx, row: PaymentRow, payment: VerifiedPayment): Promise<BookedPayment> {
  if (!isSameRequest(row, payment))
    throw new BursarError(
      "IDEMPOTENCY_CONFLICT",
      `key "${payment.key}" was used for another payment on this channel`,
      {
        facts: { key: payment.key, paymentId: row.id },
      },
    );
  const facts = row.ticket_id ? await ticketFacts(tx, [row.ticket_id]) : new Map<string, TicketFacts>();
  const receipt = rowReceipt(row, facts.get(row.ticket_id ?? "") ?? null);
  return { ok: true, receipt, amount: row.amount, replayed: true };
}

/** What a request may leave out, because the voucher and its channel say it, counts as said. */
function isSameRequest(row: PaymentRow, payment: VerifiedPayment): boolean {
  const payee = payment.payee ?? (row.payee === null ? hexOf(row.receiver) : "");
  return (
    row.cumulative === payment.maxClaimableAmount &&
    Buffer.compare(row.signature, payment.signature) === 0 &&
    row.amount === (payment.amount ?? row.amount) &&
    row.ticket_id === (payment.ticketId ?? null) &&
    row.reference === (payment.reference ?? null) &&
    hexOf(row.payee ?? row.receiver) === payee.toLowerCase()
  );
}

/** One pending ledger transfer for the payments of each channel and batch; the ids, one for each payment. */
async function reserve(
  tx: Tx,
  admitted: readonly Admitted[],
  { epochId, books, now, areKeysSought }: Booking,
): Promise<string[]> {
  interface Group {
    first: Admitted;
    amount: bigint;
    index: number;
  }
  const groups: Group[] = [];
  const groupOf = new Map<ChannelRow, Group>();
  const indexes = admitted.map((one) => {
    let group = groupOf.get(one.channel);
    if (!group || group.first.batch !== one.batch) {
      group = { first: one, amount: 0n, index: groups.length };
      groups.push(group);
      groupOf.set(one.channel, group);
    }
    group.amount += one.amount;
    return group.index;
  });
  const operations = groups.map(
    ({ first: { channel, payment, batch }, amount }): LedgerOperation => ({
      kind: "hold",
      key: `voucher:${channel.id}:${payment.maxClaimableAmount}`,
      debit: channelAccount(channel),
      credit: payeeAccount(epochId, channel.receiver),
      unit: channel.unit,
      amount,
      reference: `batch:${batch.id}`,
    }),
  );
  const outcomes = await applyTaken(tx, books, operations, now, !areKeysSought);
  const ids = outcomes.map((outcome, at) => {
    // The voucher rules keep a channel's account covered, so a refusal here is a fault of ours: nothing is booked.
    if (!outcome.ok)
      throw new Error(`the ledger refused to reserve ${operations[at]?.key}`, { cause: outcome.error });
    return outcome.transfer.id;
  });
  return indexes.map((index) => ids[index] ?? "");
}

const paymentColumns = [
  "id",
  "channel",
  "key",
  "cumulative",
  "amount",
  "signature",
  "batch_id",
  "transfer_id",
  "ticket_id",
  "reference",
  "payee",
  "credited",
  "root_number",
  "accepted_at",
] as const;

function insert(
  tx: Tx,
  admitted: readonly Admitted[],
  { paymentIds, transferIds, now }: { paymentIds: bigint[]; transferIds: string[]; now: number },
): Promise<void> {
  return copyInto(
    tx,
    "payment",
    paymentColumns,
    admitted,
    (out, { payment, channel, amount, batch, credit }, at) => {
      const text = (value: string | undefined) => (value === undefined ? out.null() : out.text(value));
      out.int8(Number(paymentIds[at]));
      out.int8(Number(channel.id));
      out.text(payment.key);
      out.numeric(payment.maxClaimableAmount);
      out.numeric(amount);
      out.raw(payment.signature);
      out.int8(Number(batch.id));
      out.text(transferIds[at] ?? "");
      text(payment.ticketId);
      text(payment.reference);
      if (credit) {
        out.bytes(credit.payee);
        out.numeric(credit.cumulative);
        out.int4(credit.root);
      } else for (let column = 0; column < 3; column += 1) out.null();
      out.int8(now);
    },
  );
}

function receiptFor(
  { payment, channel, amount, batch, credit }: Admitted,
  id: bigint,
  tickets: Map<string, PayableTicket>,
  now: number,
): Receipt {
  return receiptOf(
    {
      id,
      key: payment.key,
      channelId: channel.channelId,
      payer: channel.payer,
      payee: credit ? getAddress(credit.payee) : channel.receiver,
      amount,
      cumulative: payment.maxClaimableAmount,
      state: "accepted",
      reference: payment.reference ?? null,
      acceptedAt: now,
      batchId: batch.id,
      transactionHash: null,
      credit,
    },
    payment.ticketId === undefined ? null : (tickets.get(payment.ticketId)?.facts ?? null),
  );
}

const channelSold = (channelId: string) =>
  new BursarError(
    "CHANNEL_MISMATCH",
    `channel ${channelId} pays for priced actions; one voucher cannot pay for two things`,
    { facts: { channelId } },
  );

const channelUnknown = (channelId: string) =>
  new BursarError("CHANNEL_UNKNOWN", `no channel ${channelId} is known here; open it with a deposit first`, {
    facts: { channelId },
  });

/** Payments of one channel, by their keys and cumulative amounts. */
interface Known {
  readonly keys: Map<string, PaymentRow | "now">;
  /** To the key that took it. */
  readonly cumulatives: Map<bigint, string>;
}

/** What was booked before under the same keys and cumulative amounts, in the tables or earlier in this group. */
class Seen {
  readonly #channels = new Map<string, Known>();
  readonly #tickets = new Set<string>();

  static async load(
    tx: Tx,
    payments: readonly VerifiedPayment[],
    channels: Map<string, ChannelRow>,
    areKeysSought: boolean,
  ): Promise<Seen> {
    const seen = new Seen();
    const wanted = payments.flatMap(({ channelId, key, maxClaimableAmount: cumulative }) => {
      const channel = channels.get(channelId);
      return channel && (areKeysSought || cumulative <= channel.accepted)
        ? [{ channel: channel.id, key, cumulative }]
        : [];
    });
    if (wanted.length === 0) return seen;
    for (const row of await paymentsLike(tx, wanted)) {
      const known = seen.#known(hexOf(row.channel_id));
      known.keys.set(row.key, row);
      known.cumulatives.set(row.cumulative, row.key);
    }
    return seen;
  }

  byKey({ channelId, key }: VerifiedPayment): PaymentRow | "now" | undefined {
    return this.#channels.get(channelId)?.keys.get(key);
  }

  /** The key of the payment that took this very cumulative amount. */
  byCumulative({ channelId, maxClaimableAmount }: VerifiedPayment): string | undefined {
    return this.#channels.get(channelId)?.cumulatives.get(maxClaimableAmount);
  }

  paysTicket(ticketId: string): boolean {
    return this.#tickets.has(ticketId);
  }

  remember({ channelId, key, maxClaimableAmount, ticketId }: VerifiedPayment): void {
    const known = this.#known(channelId);
    known.keys.set(key, "now");
    known.cumulatives.set(maxClaimableAmount, key);
    if (ticketId !== undefined) this.#tickets.add(ticketId);
  }

  #known(channelId: string): Known {
    let known = this.#channels.get(channelId);
    if (!known) {
      known = { keys: new Map(), cumulatives: new Map() };
      this.#channels.set(channelId, known);
    }
    return known;
  }
}

/** Puts payments into the open batch, closing it and opening the next as it fills. */
class Filling {
  readonly #tx: Tx;
  readonly #epochId: bigint;
  readonly #policy: BatchPolicy;
  readonly #now: number;
  #batch: FillingBatch | null;

  constructor(tx: Tx, epochId: bigint, policy: BatchPolicy, now: number, open: FillingBatch | null) {
    this.#tx = tx;
    this.#epochId = epochId;
    this.#policy = policy;
    this.#now = now;
    this.#batch = open;
  }

  /** The batch that took it; null when none is open. */
  add(amount: bigint): FillingBatch | null {
    const batch = this.#batch;
    if (!batch || batch.closedBy) return null;
    batch.payments += 1;
    batch.value += amount;
    batch.closedBy = fullBy(batch, this.#policy);
    return batch;
  }

  /** Opens the next batch. Only one is open at a time, so the full one is saved before. */
  async addToNext(amount: bigint): Promise<FillingBatch> {
    await this.save();
    this.#batch = await openBatch(this.#tx, this.#epochId, this.#now);
    const batch = this.add(amount);
    if (!batch) throw new Error("a new batch takes no payment");
    return batch;
  }

  async save(): Promise<void> {
    if (this.#batch) await saveBatch(this.#tx, this.#batch, this.#now);
  }
}
