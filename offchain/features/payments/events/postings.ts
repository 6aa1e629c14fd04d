import { randomUUID } from "node:crypto";
import type { UnitCode } from "#offchain/core/unit.ts";
import type {
  AccountName,
  LedgerOperation,
  Movement,
  Transfer,
} from "#offchain/features/ledger/rules/transfer.ts";
import type { LedgerWithin } from "#offchain/features/ledger/service.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { chainAccount, channelAccount, payeeAccount } from "../rules/accounts.ts";
import type { EventPlace } from "../service.ts";
import { type ChannelRow, lockBooks } from "../store/channels.ts";
import {
  addToBalance,
  amountBehind,
  balanceOf,
  type ClaimedChannel,
  coveredHolds,
  freeOf,
  fundedAccounts,
  holdsOf,
  loseBatches,
  lowerClaimed,
  moveHold,
  openHolds,
  removeClaims,
  saveClaim,
  unsettleBatches,
} from "../store/claims.ts";
import { removePayout, savePayout } from "../store/payouts.ts";

/** Whom the contract pays, and in what. */
export interface Payee {
  runId: bigint;
  payee: string;
  unit: UnitCode;
}

/**
 * What the settlement contract's events do to channels and ledger. The ledger mirrors the contract: `chain` is short of
 * all that the contract holds, a channel's account is its unclaimed deposit, a payee's account is what it has claimed and
 * not been paid. Every method runs in the transaction that moves the indexer's checkpoint, which is what makes it happen
 * exactly once; so ledger keys need only be new.
 */
export class Postings {
  readonly #ledger: LedgerWithin;

  constructor(ledger: LedgerWithin) {
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
    const held = await balanceOf(tx, payeeAccount(to.runId, to.payee), to.unit);
    const booked = held < amount ? held : amount;
    if (booked === 0n) return;
    await savePayout(tx, to.runId, place, booked);
    await this.changePaidOut(tx, to, booked, place);
  }

  async retractPayout(tx: Tx, to: Payee, place: EventPlace): Promise<void> {
    await this.changePaidOut(tx, to, -(await removePayout(tx, to.runId, place)), place);
  }

  /** The channel's claimed total rose to `after`: posts the reserved payments that it covers. */
  async applyClaim(tx: Tx, channel: ChannelRow, after: bigint, place: EventPlace): Promise<void> {
    const before = channel.claimed;
    if (after <= before) return;
    const transfers = await coveredHolds(tx, channel, after);
    const posted = await this.#apply(
      tx,
      transfers.map((transferId) => ({ kind: "post", key: key(), transferId })),
      place.blockAt,
    );
    const sum = posted.reduce((total, { amount }) => total + amount, 0n);
    // A claim made elsewhere may end between two payments, and a hold may have given way: what the holds do not account
    // for moves beside them.
    const beyond = after - before - sum;
    if (beyond > 0n) await this.#releaseHolds(tx, channel, beyond, place.blockAt);
    const payee = payeeAccount(channel.runId, channel.receiver);
    await this.#move(tx, [channelAccount(channel), payee, channel.unit], beyond, place);
    await saveClaim(tx, channel.id, { before, after, transfers }, place);
    // It ended within a hold: what that one still reserves is what is left of its payments.
    if (beyond > 0n) await this.#refitHolds(tx, { ...channel, claimed: after }, place.blockAt);
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
    const pending = await openHolds(tx, runId);
    await this.#apply(
      tx,
      pending.map((transferId) => ({ kind: "void", key: key(), transferId })),
      now,
    );
    const left = await fundedAccounts(tx, runId);
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

  /** Money that leaves the channel was promised, so the newest reservations are voided; unless it returns they are lost. */
  async #releaseHolds(tx: Tx, channel: ClaimedChannel, needed: bigint, now: number): Promise<void> {
    let free = await freeOf(tx, channel);
    if (free >= needed) return;
    const released: LedgerOperation[] = [];
    for (const { transferId, held } of (await holdsOf(tx, channel, true)).toReversed()) {
      if (free >= needed) break;
      released.push({ kind: "void", key: key(), transferId });
      free += held;
    }
    await this.#apply(tx, released, now);
  }

  /** Makes every open hold reserve just what is unclaimed of its payments, and reserves what gave way, as far as it is covered. */
  async #refitHolds(tx: Tx, channel: ClaimedChannel, now: number): Promise<void> {
    const unfit = (await holdsOf(tx, channel, true)).filter(({ held, owed }) => held !== owed);
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
    const released = await holdsOf(tx, channel, false);
    if (released.length === 0) return;
    let free = await freeOf(tx, channel);
    for (const { transferId, owed } of released) {
      if (owed > free) return;
      free -= owed;
      const [held] = await this.#apply(tx, [hold(channel, owed)], now);
      await moveHold(tx, transferId, held?.id ?? "", channel.claimed);
    }
  }

  /** Moves an amount because of an event; below zero the other way. */
  async #move(
    tx: Tx,
    [from, to, unit]: readonly [AccountName, AccountName, UnitCode],
    amount: bigint,
    place: EventPlace,
  ): Promise<void> {
    if (amount === 0n) return;
    const movement: Movement =
      amount > 0n
        ? { debit: from, credit: to, unit, amount }
        : { debit: to, credit: from, unit, amount: -amount };
    const reference = `${place.transactionHash}:${place.logIndex}`;
    await this.#apply(tx, [{ kind: "transfer", key: key(), ...movement, reference }], place.blockAt);
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

const hold = (channel: ClaimedChannel, amount: bigint): LedgerOperation => ({
  kind: "hold",
  key: key(),
  debit: channelAccount(channel),
  credit: payeeAccount(channel.runId, channel.receiver),
  unit: channel.unit,
  amount,
});

const key = () => `chain:${randomUUID()}`;
