import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { SentTransaction, TransactionRequest, Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type Delivery, isStanding, type Settlement } from "../rules/settlement.ts";
import { findSettlement, lockSettlement, type RecordKey, saveSettlement } from "../store/settlements.ts";
import type { Payment } from "./payment.ts";
import type { SettlingCall } from "./signer.ts";

export interface OutboxOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly sender: Pick<Transactions, "admit" | "enqueueTx" | "wait">;
  /** Most gas of a settlement. */
  readonly gasMax: bigint;
  /** How long a settle waits for its block before it answers `settlement_pending`. */
  readonly settleTimeoutMs: number;
  /**
   * It settles for the service itself: what it sends waits for no caller and holds nothing up, and has so much more gas for
   * each further claim of one transaction. Unset: for callers.
   */
  readonly own?: { readonly gasPerClaim: bigint };
}

/** Most gas of this payment's settlement. */
export function gasMaxOf(
  { gasMax, own }: Pick<OutboxOptions, "gasMax" | "own">,
  { kind, payload }: Payment,
): bigint {
  const { claims } = payload.payload as { claims?: readonly unknown[] };
  return kind === "claim" && claims ? gasMax + BigInt(claims.length - 1) * (own?.gasPerClaim ?? 0n) : gasMax;
}

/**
 * The one transaction of a settle, by a transactional outbox: it is stored together with its payment's record, so that no
 * crash leaves one without the other, and then waited for.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #payment: Payment;
  readonly #at: RecordKey;
  #delivery: Delivery = { kind: "none" };

  constructor(options: OutboxOptions, payment: Payment, at: RecordKey) {
    this.#options = options;
    this.#payment = payment;
    this.#at = at;
  }

  /** What became of the transaction, whatever the official scheme made of it. */
  get delivery(): Delivery {
    return this.#delivery;
  }

  /** @returns the mined transaction. @throws what kept it from being stored or mined; `delivery` says how far it came */
  async deliver(call: SettlingCall): Promise<SentTransaction> {
    const { sender, settleTimeoutMs } = this.#options;
    const settlement = await this.#store(call);
    if (settlement.content !== this.#payment.content) {
      this.#delivery = { kind: "taken" };
      throw new BursarError("IDEMPOTENCY_CONFLICT", "the nonce stands on another payment");
    }
    this.#delivery = { kind: "stored", settlement };
    const mined = await sender.wait(settlement.transactionId, settleTimeoutMs);
    this.#delivery = { kind: "mined", settlement };
    return mined;
  }

  async #store(call: SettlingCall): Promise<Settlement> {
    try {
      return await this.#begin(call);
    } catch (error) {
      // The connection may have broken after the commit, so that the settlement stands.
      this.#delivery = { kind: "unavailable" };
      const known = await this.#standing();
      if (known) return known;
      const isServices = error instanceof BursarError && error.status >= 500;
      if (!isServices) this.#delivery = { kind: "none" };
      throw error;
    }
  }

  /**
   * Begins the settlement, or begins a failed one anew.
   * @returns what stands now; another payment's, if that was first with the key
   */
  async #begin(call: SettlingCall): Promise<Settlement> {
    const { sql, clock, sender, own } = this.#options;
    const { content, kind } = this.#payment;
    const whose = own ? { isIndependent: true } : { isRelayed: true };
    const gasMax = gasMaxOf(this.#options, this.#payment);
    const request = { ...call, purpose: `x402.${kind}`, ...whose, gasMax };
    await this.#admit({ key: `x402:${this.#at.key}`, ...request });
    const stored = await sql.begin(async (tx): Promise<Settlement> => {
      const known = await lockSettlement(tx, this.#at);
      if (known && isStanding(known)) return known;
      const attempt = (known?.attempt ?? 0) + 1;
      const key = `x402:${this.#at.key}:${attempt}`;
      const transactionId = await sender.enqueueTx(tx, { key, ...request });
      const begun = { content, attempt, transactionId, outcome: null };
      await saveSettlement(tx, this.#at, begun, clock.now());
      return begun;
    });
    return stored as Settlement;
  }

  /** The scheme has judged the payment, not what it costs to settle: a payer may be code. What stands already is not judged. */
  async #admit(request: TransactionRequest): Promise<void> {
    if (await this.#standing()) return;
    try {
      await this.#options.sender.admit(request);
    } catch (error) {
      // Another caller may have settled it meanwhile, so that it works no more.
      if (!(await this.#standing())) throw error;
    }
  }

  async #standing(): Promise<Settlement | null> {
    const known = await findSettlement(this.#options.sql, this.#at);
    return known && isStanding(known) ? known : null;
  }
}
