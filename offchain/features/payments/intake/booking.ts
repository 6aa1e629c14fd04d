import { getAddress } from "viem";
import type { BursarError } from "#offchain/core/error.ts";
import type { Agents } from "#offchain/features/agents/service.ts";
import type { CompletedWork, Energy } from "#offchain/features/energy/service.ts";
import type { KeptBooks } from "#offchain/features/ledger/service.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { type Admission, type Admitted, admitGroup, type Circumstances } from "../rules/admission.ts";
import type { BatchPolicies } from "../rules/batch.ts";
import type { FillingBatch, VerifiedPayment } from "../rules/group.ts";
import { reservations } from "../rules/reservation.ts";
import type { Hub, Receipt, SoldChannels } from "../service.ts";
import { lockOpenBatches, saveBatch } from "../store/batches.ts";
import { type ChannelRow, lockBooks, lockChannels, saveAccepted } from "../store/channels.ts";
import { insertPayments, takePaymentIds } from "../store/payments.ts";
import { paidTickets, paymentsLike, type StoredPayment } from "../store/receipts.ts";
import { receiptOf, storedReceipt } from "./receipt.ts";

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

/** Whom the booking of a group of payments asks and tells, all in its transaction. */
export interface BookingParties {
  /** The ledger's, kept from group to group; to be cleared when a group fails. */
  books: KeptBooks;
  agents: Pick<Agents, "known">;
  energy: Pick<Energy, "completedWork">;
  /** Null: nothing is sold by channels. */
  sold: SoldChannels | null;
  /** Null: there are no cleared channels. */
  hub: Pick<Hub, "onBooked" | "office"> | null;
}

/** How the intake books. */
export interface Booking extends BookingParties {
  runId: bigint;
  policies: BatchPolicies;
  /** The number of the operator's office at the hub; null: none. */
  office: number | null;
  /** Epoch ms. */
  now: number;
  /**
   * Whether to look up every payment's key. As a rule only vouchers that do not raise the channel's total are looked up; a
   * key that was used before all the same fails the group (23505).
   */
  areKeysSought: boolean;
}

/** What is read for a group of payments before it is decided. */
interface GroupFacts {
  circumstances: Circumstances<StoredPayment>;
  work: ReadonlyMap<string, CompletedWork>;
  paymentIds: bigint[];
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
  const reading = await read(tx, payments, booking);
  const decided = admitGroup(payments, reading.circumstances);
  const outcomes: BookedPayment[] = new Array(payments.length);
  for (const { at, error } of decided.refusals) outcomes[at] = { ok: false, error };
  if (decided.admitted.length > 0) {
    await write(tx, decided, reading.paymentIds, booking);
    for (const [index, one] of decided.admitted.entries()) {
      const receipt = newReceipt(one, reading.paymentIds[index] ?? 0n, reading.work, booking.now);
      outcomes[one.at] = { ok: true, receipt, amount: one.amount, replayed: false };
    }
  }
  if (decided.replays.length > 0) {
    const work = await booking.energy.completedWork(
      decided.replays.flatMap(({ row }) => row.ticketId ?? []),
      tx,
    );
    for (const { at, row } of decided.replays) {
      const receipt = storedReceipt(row, work.get(row.ticketId ?? "") ?? null);
      outcomes[at] = { ok: true, receipt, amount: row.amount, replayed: true };
    }
  }
  if (decided.repeats.length > 0) {
    const again = await bookPayments(
      tx,
      decided.repeats.flatMap((at) => payments[at] ?? []),
      { ...booking, areKeysSought: true },
    );
    for (const [index, outcome] of again.entries()) outcomes[decided.repeats[index] ?? -1] = outcome;
  }
  return outcomes;
}

/** Locks what the group changes and reads what it is decided on. */
async function read(tx: Tx, payments: readonly VerifiedPayment[], booking: Booking): Promise<GroupFacts> {
  const { runId, policies, office, now, books } = booking;
  const channelIds = [...new Set(payments.map(({ channelId }) => channelId))];
  const ticketIds = payments.flatMap(({ ticketId }) => ticketId ?? []);
  const payees = [...new Set(payments.flatMap(({ payee }) => payee ?? []))];
  // All at once on one connection: they run in this order, in one round trip. Locks are always taken in this order.
  const [, channels, openBatches, , sold, work, paidBy, agents, paymentIds] = await Promise.all([
    lockBooks(tx, runId, "shared"),
    lockChannels(tx, runId, channelIds),
    lockOpenBatches(tx, runId),
    books.take(tx),
    booking.sold?.(tx, runId, channelIds) ?? new Set<string>(),
    booking.energy.completedWork(ticketIds, tx),
    paidTickets(tx, ticketIds),
    payees.length === 0 ? new Map<string, boolean>() : booking.agents.known(payees, tx),
    takePaymentIds(tx, payments.length),
  ]);
  const earlier = await earlierPayments(tx, payments, channels, booking.areKeysSought);
  const tickets = new Map(
    [...work].map(([id, { worker }]) => [id, { worker, paidBy: paidBy.get(id) ?? null }]),
  );
  return {
    circumstances: { channels, sold, tickets, agents, office, earlier, openBatches, policies, now },
    work,
    paymentIds,
  };
}

/** What was booked before under the same keys and cumulative amounts. */
async function earlierPayments(
  tx: Tx,
  payments: readonly VerifiedPayment[],
  channels: ReadonlyMap<string, ChannelRow>,
  areKeysSought: boolean,
): Promise<StoredPayment[]> {
  const wanted = payments.flatMap(({ channelId, key, maxClaimableAmount: cumulative }) => {
    const channel = channels.get(channelId);
    return channel && (areKeysSought || cumulative <= channel.accepted)
      ? [{ channel: channel.id, key, cumulative }]
      : [];
  });
  return wanted.length === 0 ? [] : paymentsLike(tx, wanted);
}

/** Writes what was decided: reservations, credits, channels and batches in one round trip, then the payments. */
async function write(
  tx: Tx,
  { admitted, batches }: Admission<StoredPayment>,
  paymentIds: bigint[],
  booking: Booking,
): Promise<void> {
  const { runId, now } = booking;
  const saveBatches = () => Promise.all(batches.map((batch) => saveBatch(tx, runId, batch, now)));
  // A reservation names its batch, so a new batch is stored first.
  const isNewWanted = batches.some(({ id }) => id === null);
  if (isNewWanted) await saveBatches();
  const [transferIds] = await Promise.all([
    reserve(tx, admitted, booking),
    credit(tx, admitted, booking),
    saveAccepted(tx, [...new Set(admitted.map(({ channel }) => channel))]),
    isNewWanted ? [] : saveBatches(),
  ]);
  await insertPayments(tx, admitted, { paymentIds, transferIds, now });
}

/** @returns the ledger's reservation of each payment */
async function reserve(
  tx: Tx,
  admitted: readonly Admitted[],
  { runId, books, now, areKeysSought }: Booking,
): Promise<string[]> {
  const { holds, holdOf } = reservations(admitted, runId);
  const outcomes = await books.apply(tx, holds, now, !areKeysSought);
  const ids = outcomes.map((outcome, at) => {
    // The voucher rules keep a channel's account covered, so a refusal here is a fault of ours: nothing is booked.
    if (!outcome.ok)
      throw new Error(`the ledger refused to reserve ${holds[at]?.key}`, { cause: outcome.error });
    return outcome.transfer.id;
  });
  return holdOf.map((index) => ids[index] ?? "");
}

/** Has the hub credit the payees of cleared payments, and writes into each payment where its payee then stands. */
async function credit(tx: Tx, admitted: readonly Admitted[], { runId, hub, now }: Booking): Promise<void> {
  const added = new Map<string, bigint>();
  for (const { credit, amount } of admitted)
    if (credit) added.set(credit.payee, (added.get(credit.payee) ?? 0n) + amount);
  if (added.size === 0) return;
  if (!hub) throw new Error("a cleared channel has no hub to pay into");
  const { before, epoch } = await hub.onBooked(tx, runId, added, now);
  const standings = new Map(before);
  for (const { credit, amount } of admitted) {
    if (!credit) continue;
    credit.cumulative = (standings.get(credit.payee) ?? 0n) + amount;
    credit.epoch = epoch;
    standings.set(credit.payee, credit.cumulative);
  }
}

function newReceipt(
  { payment, channel, amount, batch, credit }: Admitted,
  id: bigint,
  work: ReadonlyMap<string, CompletedWork>,
  now: number,
): Receipt {
  return receiptOf(
    {
      id,
      key: payment.key,
      channelId: channel.channelId,
      payer: channel.payer,
      payee: credit ? getAddress(credit.payee) : channel.receiver,
      unit: channel.unit,
      amount,
      cumulative: payment.maxClaimableAmount,
      state: "accepted",
      refusal: null,
      reference: payment.reference ?? null,
      acceptedAt: now,
      batchId: storedId(batch),
      transactionHash: null,
      credit,
    },
    payment.ticketId === undefined ? null : (work.get(payment.ticketId) ?? null),
  );
}

function storedId({ id }: FillingBatch): bigint {
  if (id === null) throw new Error("a batch that is not stored took a payment");
  return id;
}
