import type { PaymentOutcome } from "#offchain/actions/micropayments/port.ts";
import { type BatchPolicy, fullBy } from "#offchain/domain/batchPolicy.ts";
import { BursarError } from "#offchain/domain/error.ts";
import type { LedgerOperation } from "#offchain/domain/ledger.ts";
import { acceptVoucher } from "#offchain/domain/voucher.ts";
import { knownAgents } from "./agents.ts";
import { type FillingBatch, lockOpenBatch, openBatch, saveBatch } from "./batches.ts";
import { bytesOf, list } from "./bytes.ts";
import {
  type ChannelRow,
  channelAccount,
  lockBooks,
  lockChannels,
  payeeAccount,
  saveAccepted,
} from "./channels.ts";
import { addCredits, nextRoot } from "./clearing.ts";
import type { Tx } from "./database.ts";
import { applyOperations } from "./ledger/apply.ts";
import { type PaymentRow, paymentsLike, receiptOf, type TicketFacts } from "./receipts.ts";
import { type PayableTicket, payableTickets, ticketFacts } from "./tickets.ts";
import { soldChannels } from "./x402.ts";

/** A payment whose signature is verified, ready to be booked. */
export interface VerifiedPayment {
  channelId: `0x${string}`;
  key: string;
  /** Binds the key to the whole request. */
  requestHash: Uint8Array;
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

/** A payment that passed every rule, on its way into the tables. */
interface Booking {
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
  epochId: bigint,
  payments: readonly VerifiedPayment[],
  policy: BatchPolicy,
  now: number,
): Promise<PaymentOutcome[]> {
  const outcomes = new Map<number, PaymentOutcome>();
  await lockBooks(tx, epochId, "shared");
  const channels = await lockChannels(
    tx,
    epochId,
    payments.map(({ channelId }) => channelId),
  );
  const sold = await soldChannels(tx, epochId, [...channels.keys()]);
  const seen = await Seen.load(tx, payments, channels);
  const tickets = await payableTickets(
    tx,
    payments.flatMap(({ ticketId }) => ticketId ?? []),
  );
  const payees = await knownPayees(tx, payments, channels);
  const filling = await Filling.start(tx, epochId, policy, now);
  const bookings: Booking[] = [];
  const repeats: number[] = [];
  for (const [at, payment] of payments.entries()) {
    try {
      const channel = channels.get(payment.channelId);
      if (!channel) throw channelUnknown(payment.channelId);
      const earlier = seen.byKey(channel, payment.key);
      if (earlier === "now") repeats.push(at);
      else if (earlier) outcomes.set(at, await replay(tx, earlier, payment));
      else {
        if (sold.has(payment.channelId)) throw channelSold(payment.channelId);
        const payee = channel.isCleared ? creditedPayee(channel, payment, payees) : null;
        const amount = admit(channel, payment, payee, seen, tickets);
        const credit = payee && { payee, cumulative: 0n, root: 0 };
        bookings.push({ at, payment, channel, amount, batch: await filling.add(amount), credit });
        seen.remember(channel, payment);
        channel.accepted = payment.maxClaimableAmount;
        channel.voucherSignature = payment.signature;
      }
    } catch (error) {
      if (!(error instanceof BursarError)) throw error;
      outcomes.set(at, { ok: false, error });
    }
  }
  if (bookings.length > 0) {
    await bookCredits(tx, epochId, bookings, now);
    const rows = await insert(tx, bookings, await reserve(tx, epochId, bookings, now), now);
    await saveAccepted(tx, [...new Set(bookings.map(({ channel }) => channel))]);
    await filling.save();
    for (const [index, { at, payment }] of bookings.entries()) {
      const row = rows[index];
      const ticket = payment.ticketId ? (tickets.get(payment.ticketId)?.facts ?? null) : null;
      if (row) outcomes.set(at, { ok: true, receipt: receiptOf(row, ticket), replayed: false });
    }
  }
  if (repeats.length > 0) {
    const again = await bookPayments(
      tx,
      epochId,
      repeats.flatMap((at) => payments[at] ?? []),
      policy,
      now,
    );
    for (const [index, outcome] of again.entries()) outcomes.set(repeats[index] ?? -1, outcome);
  }
  return payments.map((payment, at) => {
    const outcome = outcomes.get(at);
    if (!outcome) throw new Error(`payment ${payment.key} was given no outcome`);
    return outcome;
  });
}

/** The rules beyond the voucher's own: nothing is booked twice, and a ticket is paid once, by and to the right agent. */
function admit(
  channel: ChannelRow,
  payment: VerifiedPayment,
  payee: string | null,
  seen: Seen,
  tickets: Map<string, PayableTicket>,
): bigint {
  const same = seen.byCumulative(channel, payment.maxClaimableAmount);
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

/** The agents that cleared payments name, lower-case, with whether they are suspended. */
async function knownPayees(
  tx: Tx,
  payments: readonly VerifiedPayment[],
  channels: Map<string, ChannelRow>,
): Promise<Map<string, boolean>> {
  const named = payments.flatMap(({ channelId, payee }) =>
    payee !== undefined && channels.get(channelId)?.isCleared ? payee : [],
  );
  return named.length === 0 ? new Map() : knownAgents(tx, [...new Set(named)]);
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

/** Credits the payees of cleared payments, and writes into each booking where its payee then stands. */
async function bookCredits(
  tx: Tx,
  epochId: bigint,
  bookings: readonly Booking[],
  now: number,
): Promise<void> {
  const added = new Map<string, bigint>();
  for (const { credit, amount } of bookings)
    if (credit) added.set(credit.payee, (added.get(credit.payee) ?? 0n) + amount);
  if (added.size === 0) return;
  const [standings, root] = [await addCredits(tx, epochId, added, now), await nextRoot(tx, epochId)];
  for (const { credit, amount } of bookings) {
    if (!credit) continue;
    credit.cumulative = (standings.get(credit.payee) ?? 0n) + amount;
    credit.root = root;
    standings.set(credit.payee, credit.cumulative);
  }
}

/** The same key again: the first receipt if the request is the same one, else a conflict. */
async function replay(tx: Tx, row: PaymentRow, payment: VerifiedPayment): Promise<PaymentOutcome> {
  if (Buffer.compare(row.request_hash, payment.requestHash) !== 0)
    throw new BursarError(
      "IDEMPOTENCY_CONFLICT",
      `key "${payment.key}" was used for another payment on this channel`,
      {
        facts: { key: payment.key, paymentId: row.id },
      },
    );
  const facts = row.ticket_id ? await ticketFacts(tx, [row.ticket_id]) : new Map<string, TicketFacts>();
  return { ok: true, receipt: receiptOf(row, facts.get(row.ticket_id ?? "") ?? null), replayed: true };
}

/** One pending ledger transfer for the payments of each channel and batch; the ids, by booking. */
async function reserve(
  tx: Tx,
  epochId: bigint,
  bookings: readonly Booking[],
  now: number,
): Promise<string[]> {
  const groups = new Map<string, { first: Booking; amount: bigint }>();
  const groupOf = ({ channel, batch }: Booking) => `${channel.id}:${batch.id}`;
  for (const booking of bookings) {
    const group = groups.get(groupOf(booking));
    if (group) group.amount += booking.amount;
    else groups.set(groupOf(booking), { first: booking, amount: booking.amount });
  }
  const operations = [...groups.values()].map(
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
  const outcomes = await applyOperations(tx, operations, now);
  const ids = new Map<string, string>();
  for (const [index, group] of [...groups.keys()].entries()) {
    const outcome = outcomes[index];
    // The voucher rules keep a channel's account covered, so a refusal here is a fault of ours: nothing is booked.
    if (!outcome?.ok) throw new Error(`the ledger refused to reserve ${group}`, { cause: outcome?.error });
    ids.set(group, outcome.transfer.id);
  }
  return bookings.map((booking) => ids.get(groupOf(booking)) ?? "");
}

async function insert(
  tx: Tx,
  bookings: readonly Booking[],
  transferIds: readonly string[],
  now: number,
): Promise<PaymentRow[]> {
  const column = <Value>(pick: (booking: Booking) => Value) => bookings.map(pick);
  const inserted = await tx<{ id: bigint; channel: bigint; cumulative: bigint }[]>`
    INSERT INTO payment (channel, key, request_hash, cumulative, amount, signature, batch_id, transfer_id,
                         ticket_id, reference, payee, credited, root_number, accepted_at)
    SELECT *, ${now}::bigint FROM unnest(
      ${list(column(({ channel }) => channel.id))}::bigint[],
      ${column(({ payment }) => payment.key)}::text[],
      ${list(column(({ payment }) => payment.requestHash))}::text[]::bytea[],
      ${list(column(({ payment }) => payment.maxClaimableAmount.toString()))}::numeric[],
      ${list(column(({ amount }) => amount.toString()))}::numeric[],
      ${list(column(({ payment }) => payment.signature))}::text[]::bytea[],
      ${list(column(({ batch }) => batch.id))}::bigint[],
      ${[...transferIds]}::text[],
      ${column(({ payment }) => payment.ticketId ?? null)}::text[],
      ${column(({ payment }) => payment.reference ?? null)}::text[],
      ${list(column(({ credit }) => credit && bytesOf(credit.payee)))}::text[]::bytea[],
      ${list(column(({ credit }) => credit?.cumulative.toString() ?? null))}::numeric[],
      ${list(column(({ credit }) => credit?.root ?? null))}::integer[])
    RETURNING id, channel, cumulative`;
  const ids = new Map(inserted.map((row) => [`${row.channel}:${row.cumulative}`, row.id]));
  return bookings.map(({ payment, channel, amount, batch, credit }) => ({
    id: ids.get(`${channel.id}:${payment.maxClaimableAmount}`) ?? 0n,
    key: payment.key,
    channel_id: bytesOf(channel.channelId),
    payer: bytesOf(channel.payer),
    receiver: bytesOf(channel.receiver),
    claimed: channel.claimed,
    cumulative: payment.maxClaimableAmount,
    amount,
    reference: payment.reference ?? null,
    accepted_at: BigInt(now),
    batch_id: batch.id,
    batch_state: batch.closedBy ? "closed" : "open",
    transaction_hash: null,
    ticket_id: payment.ticketId ?? null,
    request_hash: payment.requestHash,
    payee: credit && bytesOf(credit.payee),
    credited: credit?.cumulative ?? null,
    root_number: credit?.root ?? null,
  }));
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

/** What was booked before under the same keys and cumulative amounts, in the tables or earlier in this group. */
class Seen {
  private readonly keys = new Map<string, PaymentRow | "now">();
  private readonly cumulatives = new Map<string, string>();
  private readonly tickets = new Set<string>();

  static async load(
    tx: Tx,
    payments: readonly VerifiedPayment[],
    channels: Map<string, ChannelRow>,
  ): Promise<Seen> {
    const seen = new Seen();
    const wanted = payments.flatMap(({ channelId, key, maxClaimableAmount }) => {
      const channel = channels.get(channelId);
      return channel ? [{ channel: channel.id, key, cumulative: maxClaimableAmount }] : [];
    });
    for (const row of await paymentsLike(tx, wanted)) {
      seen.keys.set(`${row.channel}:${row.key}`, row);
      seen.cumulatives.set(`${row.channel}:${row.cumulative}`, row.key);
    }
    return seen;
  }

  byKey(channel: ChannelRow, key: string): PaymentRow | "now" | undefined {
    return this.keys.get(`${channel.id}:${key}`);
  }

  /** The key of the payment that took this very cumulative amount. */
  byCumulative(channel: ChannelRow, cumulative: bigint): string | undefined {
    return this.cumulatives.get(`${channel.id}:${cumulative}`);
  }

  paysTicket(ticketId: string): boolean {
    return this.tickets.has(ticketId);
  }

  remember(channel: ChannelRow, { key, maxClaimableAmount, ticketId }: VerifiedPayment): void {
    this.keys.set(`${channel.id}:${key}`, "now");
    this.cumulatives.set(`${channel.id}:${maxClaimableAmount}`, key);
    if (ticketId !== undefined) this.tickets.add(ticketId);
  }
}

/** Puts payments into the open batch, closing it and opening the next as it fills. */
class Filling {
  private readonly touched: FillingBatch[] = [];
  private readonly tx: Tx;
  private readonly epochId: bigint;
  private readonly policy: BatchPolicy;
  private readonly now: number;

  private constructor(tx: Tx, epochId: bigint, policy: BatchPolicy, now: number) {
    this.tx = tx;
    this.epochId = epochId;
    this.policy = policy;
    this.now = now;
  }

  static async start(tx: Tx, epochId: bigint, policy: BatchPolicy, now: number): Promise<Filling> {
    const filling = new Filling(tx, epochId, policy, now);
    const open = await lockOpenBatch(tx, epochId);
    if (open) filling.touched.push(open);
    return filling;
  }

  async add(amount: bigint): Promise<FillingBatch> {
    let batch = this.touched.at(-1);
    if (!batch || batch.closedBy) {
      // Only one batch is open at a time, so the full one is saved before the next is opened.
      if (batch) await saveBatch(this.tx, batch, this.now);
      batch = await openBatch(this.tx, this.epochId, this.now);
      this.touched.push(batch);
    }
    batch.payments += 1;
    batch.value += amount;
    batch.closedBy = fullBy(batch, this.policy);
    return batch;
  }

  async save(): Promise<void> {
    const last = this.touched.at(-1);
    if (last) await saveBatch(this.tx, last, this.now);
  }
}
