import type { UnitCode } from "#offchain/core/unit.ts";
import { type BatchPolicies, type BatchPolicy, type CloseReason, fullBy } from "./batch.ts";
import type { Channel } from "./channel.ts";

/** A payment whose signature is verified, ready to be booked. */
export interface VerifiedPayment {
  channelId: `0x${string}`;
  key: string;
  maxClaimableAmount: bigint;
  /** In ERC-2098 form; for a channel without a payer authorizer, as its payer's check takes it. */
  signature: Uint8Array;
  amount: bigint | undefined;
  payee: string | undefined;
  ticketId: string | undefined;
  reference: string | undefined;
  /** Who signed the request that carried it, if anybody did. */
  submitter: string | null;
}

/** A channel while a group of payments is decided: accepting a voucher moves it on. */
export interface AcceptingChannel extends Channel {
  /** Its row's. */
  id: bigint;
  /** Of the newest accepted voucher. */
  voucherSignature: Uint8Array | null;
}

/** A payment that was booked before this group. */
export interface EarlierPayment {
  id: bigint;
  channelId: `0x${string}`;
  key: string;
  unit: UnitCode;
  cumulative: bigint;
  amount: bigint;
  signature: Uint8Array;
  ticketId: string | null;
  reference: string | null;
  /** By a cleared channel: whom it pays. */
  payee: string | null;
  receiver: string;
}

/** A batch that takes payments. */
export interface FillingBatch {
  /** Null until it is stored. */
  id: bigint | null;
  /** All of its payments are in it. */
  unit: UnitCode;
  payments: number;
  /** Base units. */
  value: bigint;
  openedAt: number;
  closedBy: CloseReason | null;
}

/** What became of the payments of one channel, by their keys and cumulative amounts. */
interface Known<Row> {
  readonly keys: Map<string, Row | "now">;
  /** To the key that took it. */
  readonly cumulatives: Map<bigint, string>;
}

/** What was booked under the same keys and cumulative amounts: in the tables, or earlier in this group. */
export class Seen<Row extends EarlierPayment> {
  readonly #channels = new Map<string, Known<Row>>();
  readonly #tickets = new Set<string>();

  constructor(earlier: readonly Row[]) {
    for (const payment of earlier) {
      const known = this.#known(payment.channelId);
      known.keys.set(payment.key, payment);
      known.cumulatives.set(payment.cumulative, payment.key);
    }
  }

  byKey({ channelId, key }: Pick<VerifiedPayment, "channelId" | "key">): Row | "now" | undefined {
    return this.#channels.get(channelId)?.keys.get(key);
  }

  /** The key of the payment that took this very cumulative amount. */
  byCumulative({
    channelId,
    maxClaimableAmount,
  }: Pick<VerifiedPayment, "channelId" | "maxClaimableAmount">): string | undefined {
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

  #known(channelId: string): Known<Row> {
    let known = this.#channels.get(channelId);
    if (!known) {
      known = { keys: new Map(), cumulatives: new Map() };
      this.#channels.set(channelId, known);
    }
    return known;
  }
}

/** Puts payments into the open batch of their unit, and into further ones as it fills. */
export class Filling {
  /** Those that took a payment, in the order in which they were begun; of each unit at most the last one is still open. */
  readonly batches: FillingBatch[] = [];
  readonly #policies: BatchPolicies;
  readonly #now: number;
  readonly #newest = new Map<UnitCode, FillingBatch>();
  /** The last payment's; the next one's as a rule. */
  #batch: FillingBatch | null = null;
  #policy: BatchPolicy | null = null;

  constructor(open: readonly FillingBatch[], policies: BatchPolicies, now: number) {
    for (const batch of open) this.#newest.set(batch.unit, batch);
    this.#policies = policies;
    this.#now = now;
  }

  /** @returns the batch that took the payment */
  add(amount: bigint, unit: UnitCode): FillingBatch {
    let batch = this.#batch;
    if (batch?.unit !== unit || batch.closedBy) batch = this.#turnTo(unit);
    batch.payments += 1;
    batch.value += amount;
    batch.closedBy = fullBy(batch, this.#policy ?? this.#policies(unit));
    return batch;
  }

  #turnTo(unit: UnitCode): FillingBatch {
    let batch = this.#newest.get(unit);
    if (!batch || batch.closedBy) {
      batch = { id: null, unit, payments: 0, value: 0n, openedAt: this.#now, closedBy: null };
      this.#newest.set(unit, batch);
    }
    if (!this.batches.includes(batch)) this.batches.push(batch);
    this.#policy = this.#policies(unit);
    this.#batch = batch;
    return batch;
  }
}
