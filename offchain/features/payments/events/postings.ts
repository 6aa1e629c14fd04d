import { randomUUID } from "node:crypto";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName, LedgerOperation, Transfer } from "#offchain/features/ledger/rules/transfer.ts";
import type { Hold, LedgerFigures, LedgerWithin } from "#offchain/features/ledger/service.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { chainAccount, channelAccount, payeeAccount, payeeAccounts } from "../rules/accounts.ts";
import type { EventPlace } from "../service.ts";
import { type ChannelRow, lockBooks } from "../store/channels.ts";
import {
  addToBalance,
  amountBehind,
  type Claim,
  type ClaimedChannel,
  channelsOfRun,
  coveredHolds,
  holdsOfRun,
  loseBatches,
  lowerClaimed,
  moveHold,
  owedByHold,
  removeClaims,
  saveClaims,
  unsettleBatches,
} from "../store/claims.ts";
import { removePayout, savePayout } from "../store/payouts.ts";

/** Whom the contract pays, and in what. */
export interface Payee {
  runId: bigint;
  payee: string;
  unit: UnitCode;
}

/** What an event tells of a channel: that so much of it is claimed in all. */
export interface ToldClaim {
  channel: ClaimedChannel;
  after: bigint;
}

/**
 * What the settlement contract's events do to channels and ledger. The ledger mirrors the contract: `chain` is short of
 * all that the contract holds, a channel's account is its unclaimed deposit, a payee's account is what it has claimed and
 * not been paid. Every method runs in the transaction that moves the indexer's checkpoint, which is what makes it happen
 * exactly once; so ledger keys need only be new.
 */
export class Postings {
  readonly #ledger: LedgerWithin & LedgerFigures;

  constructor(ledger: LedgerWithin & LedgerFigures) {
    this.#ledger = ledger;
  }

  /**
   * Money enters (above zero) or leaves (below) the channel's deposit.
   * @param deposits 1: it is a deposit; -1: one is taken back
   */
  async changeBalance(
    tx: Tx,
    channel: ChannelRow,
    delta: bigint,
    place: EventPlace,
    deposits = 0,
  ): Promise<void> {
    if (delta === 0n) return;
    if (delta < 0n) await this.#releaseHolds(tx, channel, -delta, place.blockAt);
    await addToBalance(tx, channel.id, delta, deposits);
    const { runId, unit } = channel;
    await this.#move(tx, [chainAccount(runId), channelAccount(channel), unit], delta, place);
    if (delta > 0n) await this.#restoreHolds(tx, channel, place.blockAt);
  }

  /** The contract paid a payee what it had claimed; a negative amount takes that back. */
  async changePaidOut(
    tx: Tx,
    { runId, payee, unit }: Payee,
    amount: bigint,
    place: EventPlace,
  ): Promise<void> {
    await this.#move(tx, [payeeAccount(runId, payee), chainAccount(runId), unit], amount, place);
  }

  /**
   * The contract paid a payee in a token of which it may have earned by foreign channels too: all that the books hold for
   * it is in the payout, for each is of everything that was claimed, and the rest is none of theirs.
   */
  async applyPayout(tx: Tx, to: Payee, amount: bigint, place: EventPlace): Promise<void> {
    const held = await this.heldFor(tx, to);
    const booked = held < amount ? held : amount;
    if (booked === 0n) return;
    await savePayout(tx, to.runId, place, booked);
    await this.changePaidOut(tx, to, booked, place);
  }

  async retractPayout(tx: Tx, to: Payee, place: EventPlace): Promise<void> {
    await this.changePaidOut(tx, to, -(await removePayout(tx, to.runId, place)), place);
  }

  /** What the contract holds for a payee by the books, base units. */
  async heldFor(tx: Tx, { runId, payee, unit }: Payee): Promise<bigint> {
    const account = payeeAccount(runId, payee);
    const balanceOf = await this.#ledger.balancesWithin(tx, [account]);
    return balanceOf(account, unit).balance;
  }

  /**
   * Claimed totals rose, each to its `after`: posts the reserved payments that they cover, those of all channels as one
   * group, so that the intake waits for one event once.
   */
  async applyClaims(tx: Tx, told: readonly ToldClaim[], place: EventPlace): Promise<void> {
    const rising = risingOf(told);
    if (rising.length === 0) return;
    const claims = await this.#post(tx, rising, place);
    // A claim made elsewhere may end between two payments, and a hold may have given way: what the holds do not account
    // for moves beside them.
    const short = claims.filter(({ beyond }) => beyond > 0n);
    for (const { channel, beyond } of short) await this.#releaseHolds(tx, channel, beyond, place.blockAt);
    await this.#apply(
      tx,
      short.map(({ channel, beyond }) => {
        const payee = payeeAccount(channel.runId, channel.receiver);
        return transferOf([channelAccount(channel), payee, channel.unit], beyond, place);
      }),
      place.blockAt,
    );
    await saveClaims(tx, claims, place);
    // It ended within a hold: what that one still reserves is what is left of its payments.
    for (const { channel, after } of short)
      await this.#refitHolds(tx, { ...channel, claimed: after }, place.blockAt);
  }

  /** Posts the holds that claims cover. @returns the claims, with what they claim `beyond` these holds */
  async #post(
    tx: Tx,
    rising: readonly ToldClaim[],
    place: EventPlace,
  ): Promise<(Claim & { beyond: bigint })[]> {
    const covered = await coveredHolds(tx, rising);
    const holds = await this.#ledger.holdsWithin(tx, [...covered.values()].flat());
    const claims = rising.map(({ channel, after }) => {
      const transfers = (covered.get(channel.id) ?? []).filter((id) => holds.get(id)?.isOpen);
      const sum = transfers.reduce((total, id) => total + (holds.get(id)?.amount ?? 0n), 0n);
      return { channel, before: channel.claimed, after, transfers, beyond: after - channel.claimed - sum };
    });
    const posts = claims.flatMap(({ transfers }) =>
      transfers.map((transferId) => ({ kind: "post" as const, key: key(), transferId })),
    );
    await this.#apply(tx, posts, place.blockAt);
    return claims;
  }

  /** A reorganisation dropped the claim event: reserves again what it had posted. */
  async retractClaims(tx: Tx, runId: bigint, place: EventPlace): Promise<void> {
    for (const { channel, before, after, transfers } of await removeClaims(tx, runId, place)) {
      const payee = payeeAccount(runId, channel.receiver);
      await this.#move(tx, [payee, channelAccount(channel), channel.unit], after - before, place);
      for (const transferId of transfers) {
        const [held] = await this.#apply(
          tx,
          [hold(channel, await amountBehind(tx, transferId, before))],
          place.blockAt,
        );
        await moveHold(tx, transferId, held?.id ?? "");
      }
      await lowerClaimed(tx, channel);
      await this.#refitHolds(tx, channel, place.blockAt);
    }
    await unsettleBatches(tx, place.transactionHash);
  }

  /** The chain run that these channels were on is over: what its contract held is written off, by transfers like any other. */
  async endRun(tx: Tx, runId: bigint, now: number): Promise<void> {
    await lockBooks(tx, runId, "alone");
    const holds = await this.#ledger.holdsWithin(tx, await holdsOfRun(tx, runId));
    const open = [...holds].filter(([, { isOpen }]) => isOpen);
    await this.#apply(
      tx,
      open.map(([transferId]) => ({ kind: "void", key: key(), transferId })),
      now,
    );
    const left = await this.#left(tx, runId);
    await this.#apply(
      tx,
      left.map(({ name, unit, balance }) => ({
        kind: "transfer",
        key: key(),
        debit: name,
        credit: chainAccount(runId),
        unit,
        amount: balance,
        reference: `chain run ${runId} ended`,
      })),
      now,
    );
    await loseBatches(tx, runId);
  }

  /** The accounts of a chain run's channels and payees that hold something. */
  async #left(tx: Tx, runId: bigint): Promise<{ name: AccountName; unit: UnitCode; balance: bigint }[]> {
    const channels = await channelsOfRun(tx, runId);
    const accounts = channels.map((channel) => ({ name: channelAccount(channel), unit: channel.unit }));
    const balanceOf = await this.#ledger.balancesWithin(
      tx,
      accounts.map(({ name }) => name),
    );
    const units = [...new Set(channels.map(({ unit }) => unit))];
    const payees = await this.#ledger.fundedWithin(tx, { prefix: payeeAccounts(runId), units });
    const held = accounts.map(({ name, unit }) => ({ name, unit, balance: balanceOf(name, unit).balance }));
    return [...held.filter(({ balance }) => balance > 0n), ...payees];
  }

  /** Money that leaves the channel was promised, so the newest reservations are voided; unless it returns they are lost. */
  async #releaseHolds(tx: Tx, channel: ClaimedChannel, needed: bigint, now: number): Promise<void> {
    let free = await this.#freeOf(tx, channel);
    if (free >= needed) return;
    const released: LedgerOperation[] = [];
    for (const { transferId, amount, isOpen } of (await this.#holdsOf(tx, channel)).toReversed()) {
      if (free >= needed) break;
      if (!isOpen) continue;
      released.push({ kind: "void", key: key(), transferId });
      free += amount;
    }
    await this.#apply(tx, released, now);
  }

  /** Makes every open hold reserve just what is unclaimed of its payments, and reserves what gave way, as far as it is covered. */
  async #refitHolds(tx: Tx, channel: ClaimedChannel, now: number): Promise<void> {
    const holds = await this.#holdsOf(tx, channel);
    const unfit = holds.filter(({ amount, owed, isOpen }) => isOpen && amount !== owed);
    await this.#apply(
      tx,
      unfit.map(({ transferId }) => ({ kind: "void", key: key(), transferId })),
      now,
    );
    await this.#restoreHolds(tx, channel, now);
  }

  /**
   * Reserves anew, oldest first, what had given way and is covered again: a reorganisation takes a deposit away, and the
   * same deposit comes back in another block.
   */
  async #restoreHolds(tx: Tx, channel: ClaimedChannel, now: number): Promise<void> {
    const released = (await this.#holdsOf(tx, channel)).filter(({ isOpen }) => !isOpen);
    if (released.length === 0) return;
    let free = await this.#freeOf(tx, channel);
    for (const { transferId, owed } of released) {
      if (owed > free) return;
      free -= owed;
      const [held] = await this.#apply(tx, [hold(channel, owed)], now);
      await moveHold(tx, transferId, held?.id ?? "", channel.claimed);
    }
  }

  /** The reservations behind what is not claimed of the channel, oldest first; what they reserve and what is `owed` of them. */
  async #holdsOf(tx: Tx, channel: ClaimedChannel): Promise<(Hold & { transferId: string; owed: bigint })[]> {
    const owing = await owedByHold(tx, channel);
    const holds = await this.#ledger.holdsWithin(
      tx,
      owing.map(({ transferId }) => transferId),
    );
    return owing.flatMap((one) => {
      const found = holds.get(one.transferId);
      return found ? [{ ...one, ...found }] : [];
    });
  }

  /** The balance of the channel's account that is reserved for no payment, base units. */
  async #freeOf(tx: Tx, channel: ClaimedChannel): Promise<bigint> {
    const account = channelAccount(channel);
    const { balance, pending } = (await this.#ledger.balancesWithin(tx, [account]))(account, channel.unit);
    return balance - pending;
  }

  /** Moves an amount because of an event; below zero the other way. */
  async #move(
    tx: Tx,
    [from, to, unit]: readonly [AccountName, AccountName, UnitCode],
    amount: bigint,
    place: EventPlace,
  ): Promise<void> {
    if (amount === 0n) return;
    const transfer =
      amount > 0n
        ? transferOf([from, to, unit], amount, place)
        : transferOf([to, from, unit], -amount, place);
    await this.#apply(tx, [transfer], place.blockAt);
  }

  /** The ledger must take what the chain says; a refusal stops the indexer before its checkpoint moves. */
  async #apply(tx: Tx, operations: readonly LedgerOperation[], now: number): Promise<Transfer[]> {
    if (operations.length === 0) return [];
    const outcomes = await this.#ledger.applyWithin(tx, operations, now);
    return outcomes.map((outcome) => {
      if (!outcome.ok) throw new Error("the ledger refused what the chain did", { cause: outcome.error });
      return outcome.transfer;
    });
  }
}

/** One claim for each channel that rises: an event may name a channel twice, and tell what is claimed already. */
function risingOf(told: readonly ToldClaim[]): ToldClaim[] {
  const highest = new Map<bigint, ToldClaim>();
  for (const claim of told) {
    const { id, claimed } = claim.channel;
    if (claim.after > (highest.get(id)?.after ?? claimed)) highest.set(id, claim);
  }
  return [...highest.values()];
}

const transferOf = (
  [debit, credit, unit]: readonly [AccountName, AccountName, UnitCode],
  amount: bigint,
  { transactionHash, logIndex }: EventPlace,
): LedgerOperation => ({
  kind: "transfer",
  key: key(),
  debit,
  credit,
  unit,
  amount,
  reference: `${transactionHash}:${logIndex}`,
});

const hold = (channel: ClaimedChannel, amount: bigint): LedgerOperation => ({
  kind: "hold",
  key: key(),
  debit: channelAccount(channel),
  credit: payeeAccount(channel.runId, channel.receiver),
  unit: channel.unit,
  amount,
});

const key = () => `chain:${randomUUID()}`;
