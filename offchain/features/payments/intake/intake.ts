import type { Address } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { CommitLimits } from "#offchain/platform/database/commitQueue.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { GroupCommit } from "#offchain/platform/database/groupCommit.ts";
import type { BatchPolicies } from "../rules/batch.ts";
import type { VerifiedPayment } from "../rules/group.ts";
import type { AcceptedListener, PaymentOutcome, PaymentRequest } from "../service.ts";
import { type BookedPayment, type BookingParties, bookPayments } from "./booking.ts";
import type { ReceiptSigner } from "./receiptSigner.ts";
import type { VoucherVerification } from "./verification.ts";

export interface IntakeOptions {
  sql: Sql;
  clock: Clock;
  view: ChainView;
  verification: VoucherVerification;
  /** Gives receipts the operator's signature. */
  receipts: ReceiptSigner;
  /** Asked for each group: features join after payments are opened. */
  parties: () => BookingParties;
  policies: BatchPolicies;
  /** How long vouchers are taken after the chain's head was lost. */
  lagMaxMs: number;
  queue: CommitLimits;
  /** Told of what was accepted, for the live stream and the metrics. */
  onAccepted: AcceptedListener;
}

/** PostgreSQL's unique_violation. */
const uniqueViolation = "23505";

/** The way of a voucher: its signature is verified, the rules decide in one group commit, and the receipt is signed. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #queue: GroupCommit<VerifiedPayment, PaymentOutcome>;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#queue = new GroupCommit(
      async (payments) => this.#signed(await this.#book(payments)),
      options.queue,
    );
  }

  async pay(payments: readonly PaymentRequest[], submitter: Address | null): Promise<PaymentOutcome[]> {
    this.#assertFollowing();
    const verified = await this.#options.verification.verify(payments, submitter);
    const good = verified.filter((payment): payment is VerifiedPayment => !(payment instanceof BursarError));
    const booked = (await this.#queue.submit(good)).values();
    return verified.map((payment): PaymentOutcome => {
      if (payment instanceof BursarError) return { ok: false, error: payment };
      return booked.next().value as PaymentOutcome;
    });
  }

  /**
   * What a payer withdraws, the service knows by the chain's events alone: a voucher that is taken long after the last of
   * them may be worth nothing. @throws BursarError CHAIN_UNAVAILABLE
   */
  #assertFollowing(): void {
    const { view, lagMaxMs } = this.#options;
    const { lagMs, indexedTo } = view.status();
    if (lagMs > lagMaxMs)
      throw new BursarError(
        "CHAIN_UNAVAILABLE",
        `the chain has not been followed for ${Math.round(lagMs / 1000)} s, so vouchers cannot be judged; send them again later`,
        { facts: { lagMs, limit: lagMaxMs, indexedTo } },
      );
  }

  /** Makes payments durable. Keys are taken for new ones first; if one is not, nothing has happened and all are looked for. */
  async #book(payments: readonly VerifiedPayment[], areKeysSought = false): Promise<BookedPayment[]> {
    const { sql, clock, view, policies } = this.#options;
    const parties = this.#options.parties();
    const booking = {
      ...parties,
      runId: view.runNow(),
      // Asked before the transaction: the chain may have to be.
      office: payments.some(({ payee }) => payee !== undefined)
        ? ((await parties.hub?.office()) ?? null)
        : null,
      policies,
      now: clock.now(),
      areKeysSought,
    };
    try {
      const outcomes = await sql.begin((tx) => bookPayments(tx, payments, booking));
      this.#tellAccepted(outcomes);
      return outcomes;
    } catch (error) {
      parties.books.clear();
      if (areKeysSought || (error as { code?: unknown }).code !== uniqueViolation) throw error;
    }
    return this.#book(payments, true);
  }

  /** One word for each unit; neighbours are in the same one as a rule. */
  #tellAccepted(outcomes: readonly BookedPayment[]): void {
    const sums = new Map<UnitCode, { count: number; value: bigint; unit: UnitCode }>();
    let sum: { count: number; value: bigint; unit: UnitCode } | undefined;
    for (const outcome of outcomes) {
      if (!outcome.ok || outcome.replayed) continue;
      const { unit } = outcome.receipt.amount;
      if (sum?.unit !== unit) {
        sum = sums.get(unit) ?? { count: 0, value: 0n, unit };
        sums.set(unit, sum);
      }
      sum.count += 1;
      sum.value += outcome.amount;
    }
    for (const { count, value, unit } of sums.values()) this.#options.onAccepted(count, value, unit);
  }

  /** What was just made durable, with the operator's signature. */
  async #signed(outcomes: readonly BookedPayment[]): Promise<PaymentOutcome[]> {
    const unsigned = outcomes.flatMap((outcome) => (outcome.ok ? outcome.receipt : []));
    if (unsigned.length === 0) return outcomes.filter((outcome) => !outcome.ok);
    const { receipts, signed } = await this.#options.receipts.sign(unsigned);
    let leaf = -1;
    return outcomes.map((outcome) => {
      if (!outcome.ok) return outcome;
      leaf += 1;
      return {
        ok: true,
        receipt: receipts[leaf] ?? outcome.receipt,
        replayed: outcome.replayed,
        signed,
        leaf,
      };
    });
  }
}
