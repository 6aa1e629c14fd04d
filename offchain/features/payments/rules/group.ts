import { type BatchPolicy, type CloseReason, fullBy } from "./batch.ts";
import type { Channel } from "./channel.ts";

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

  byKey({ channelId, key }: VerifiedPayment): Row | "now" | undefined {
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

  #known(channelId: string): Known<Row> {
    let known = this.#channels.get(channelId);
    if (!known) {
      known = { keys: new Map(), cumulatives: new Map() };
      this.#channels.set(channelId, known);
    }
    return known;
  }
}

/** Puts payments into the open batch, and into further ones as it fills. */
export class Filling {
  /** Those that took a payment, in the order in which they were filled; at most the last one is still open. */
  readonly batches: FillingBatch[] = [];
  readonly #policy: BatchPolicy;
  readonly #now: number;
  #batch: FillingBatch | null;

  constructor(open: FillingBatch | null, policy: BatchPolicy, now: number) {
    this.#batch = open;
    this.#policy = policy;
    this.#now = now;
  }

  /** @returns the batch that took the payment */
  add(amount: bigint): FillingBatch {
    let batch = this.#batch;
    if (!batch || batch.closedBy) {
      batch = { id: null, payments: 0, value: 0n, openedAt: this.#now, closedBy: null };
      this.#batch = batch;
    }
    if (this.batches.at(-1) !== batch) this.batches.push(batch);
    batch.payments += 1;
    batch.value += amount;
    batch.closedBy = fullBy(batch, this.#policy);
    return batch;
  }
}
