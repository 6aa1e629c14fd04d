import type { SettleResponse } from "@x402/core/types";
import type { Address, Hex } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { SentTransaction, TransactionRequest, Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { receiverSums } from "../contract.ts";
import type { SettleAnswer, Settlement } from "../service.ts";
import {
  amendFailure,
  endSettlement,
  findSettlement,
  lockSettlement,
  newestHash,
  saveSettlement,
} from "../store/settlements.ts";
import { inWords, messageOf, named, nonceTaken, placeOf } from "./answer.ts";
import { explanationOf } from "./explain.ts";
import { GuardedReader, type GuardedReaderOptions } from "./guardedReader.ts";
import { officialOutcome, schemesOf } from "./official.ts";
import { hashOf, type Payment } from "./payment.ts";
import { evmSigner, readingSigner, type SettlingCall } from "./signer.ts";
import { mayHaveArrived, TransferSearch } from "./transferSearch.ts";
import type { Verifying } from "./verifying.ts";

export interface SettlingOptions extends GuardedReaderOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly chainId: number;
  /** @throws BursarError CHAIN_UNAVAILABLE before the chain is met */
  readonly runId: () => bigint;
  readonly sender: Pick<Transactions, "sender" | "admit" | "enqueueTx" | "wait" | "find">;
  readonly usdc: Address;
  readonly batchSettlement: Address;
  /** How long a settle waits for its block before it answers `settlement_pending`. */
  readonly settleTimeoutMs: number;
  /**
   * It settles for the service itself: what it sends waits for no caller and holds nothing up, and has so much more gas for
   * each further claim of one transaction. Unset: for callers.
   */
  readonly own?: { readonly gasPerClaim: bigint };
}

/** A settlement's record: the run of the chain, and what may happen once in it. */
interface RecordKey {
  readonly runId: bigint;
  readonly key: Hex;
}

/** What one settlement knows of its transaction. */
interface Sending {
  settlement: Settlement | null;
  /** It is in a block, and did its work. */
  isMined: boolean;
  /** Whether it is stored could not be found out. */
  isUnknown: boolean;
  /** Another payment stands under the key. */
  isTaken: boolean;
  /** The service could not take it now, which says nothing of the payment. */
  isTurnedAway: boolean;
}

/** Brings payments to the chain, each once: the official schemes judge, the durable sender sends, one record each. */
export class Settling {
  readonly #options: SettlingOptions;
  readonly #verifying: Verifying;
  readonly #transfers: TransferSearch;

  constructor(options: SettlingOptions, verifying: Verifying) {
    this.#transfers = new TransferSearch(options);
    this.#options = options;
    this.#verifying = verifying;
  }

  async settle(payment: Payment): Promise<SettleAnswer> {
    const { sql, runId } = this.#options;
    const run = runId();
    const key = await this.#keyOf(payment).catch(() => null);
    if (!key) return this.#refused(payment, "unexpected_settle_error");
    const at = { runId: run, key };
    const known = await findSettlement(sql, at.runId, at.key);
    if (known && known.content === payment.content && known.outcome?.success)
      return named(known.outcome, payment);
    if (known && known.outcome?.success !== false)
      return known.content === payment.content
        ? this.#resume(payment, at, known)
        : this.#refused(payment, nonceTaken);
    return this.#begin(payment, at);
  }

  /** Whether a settle of this very payment was answered as failed, and nothing has come of it since. */
  async hasFailed({ key, content }: Payment): Promise<boolean> {
    const known = await findSettlement(this.#options.sql, this.#options.runId(), key);
    return known?.content === content && known.outcome?.success === false;
  }

  /** A payment that is new, or has failed before. */
  async #begin(payment: Payment, at: RecordKey): Promise<SettleAnswer> {
    if (payment.kind === "exact" || payment.kind === "deposit") {
      const { isValid, invalidReason, invalidMessage, extra } = await this.#verifying.verify(payment);
      if (!isValid) {
        // Another caller may have settled this very payment since it was looked for.
        const now = await findSettlement(this.#options.sql, at.runId, at.key);
        if (now?.content === payment.content && now.outcome?.success !== false)
          return this.#resume(payment, at, now);
        if (now?.content === payment.content && mayHaveArrived.has(invalidReason ?? "")) {
          const late = await this.#arrivedAfterAll(payment, at, now);
          if (late) return late;
        }
        if (!invalidReason || invalidReason === "unexpected_verify_error")
          return this.#refused(payment, "unexpected_settle_error");
        return {
          success: false,
          errorReason: invalidReason,
          ...(invalidMessage && { errorMessage: invalidMessage }),
          ...(extra && { extra }),
          ...placeOf(payment),
        };
      }
    }
    return this.#send(payment, at);
  }

  /** A payment whose transaction is stored already: sent once, whoever asks again. */
  async #resume(payment: Payment, at: RecordKey, known: Settlement): Promise<SettleAnswer> {
    if (known.outcome) return named(known.outcome, payment);
    const { sender, settleTimeoutMs } = this.#options;
    try {
      const { hash } = await sender.wait(known.transactionId, settleTimeoutMs);
      const outcome = await this.#recall(payment, hash ?? "0x");
      if (outcome.errorReason !== "settlement_pending") await this.#end(at, known, outcome);
      return named(outcome, payment);
    } catch {
      return this.#withoutReceipt(payment, at, known);
    }
  }

  /** Has the official scheme read the receipt of a transaction that was sent before. */
  async #recall(payment: Payment, hash: Hex): Promise<SettleAnswer> {
    const { client, sender } = this.#options;
    const remembered = { get: async () => hash, set: async () => {}, delete: async () => {} };
    if (payment.kind !== "exact" && payment.kind !== "deposit")
      return { success: true, ...placeOf(payment), transaction: hash };
    const guarded = this.#readerFor(payment);
    const official = schemesOf(readingSigner(client, guarded, sender.sender), remembered);
    const outcome = officialOutcome(await official.settle(payment.payload, payment.requirements));
    // A balance that it cannot read it guesses, and counts a deposit that is there already once more.
    if (guarded.fault) throw guarded.fault;
    return outcome;
  }

  /**
   * A payment that was ours to settle, and arrived by another's transaction: anybody may send what is signed. One that was
   * used before we had it in hand may have paid for something else.
   * @param block the newest that counts; null: the head
   */
  async #arrived(payment: Payment, block: bigint | null): Promise<SettleAnswer | null> {
    const hash = await this.#transfers.find(payment, block);
    if (!hash) return null;
    const outcome = await this.#recall(payment, hash);
    if (!outcome.success) throw new Error(`the payment's transfer in ${hash} cannot be read`);
    return outcome;
  }

  async #arrivedAfterAll(
    payment: Payment,
    at: RecordKey,
    { attempt }: Settlement,
  ): Promise<SettleAnswer | null> {
    const { sql, clock } = this.#options;
    try {
      const arrived = await this.#arrived(payment, null);
      if (arrived) await amendFailure(sql, { ...at, attempt }, arrived, clock.now());
      return arrived && named(arrived, payment);
    } catch {
      return this.#refused(payment, "unexpected_settle_error");
    }
  }

  async #send(payment: Payment, at: RecordKey): Promise<SettleAnswer> {
    const { client, sender } = this.#options;
    const sending: Sending = {
      settlement: null,
      isMined: false,
      isUnknown: false,
      isTaken: false,
      isTurnedAway: false,
    };
    const guarded = this.#readerFor(payment);
    const signer = evmSigner(client, guarded, sender.sender, (call) =>
      this.#deliver(payment, at, call, sending),
    );
    let response: SettleResponse;
    try {
      response = await schemesOf(signer).settle(payment.payload, payment.requirements);
    } catch (error) {
      response = {
        success: false,
        errorReason: "unexpected_settle_error",
        errorMessage: messageOf(error),
        transaction: "",
        network: `eip155:${this.#options.chainId}`,
      };
    }
    const { settlement, isMined, isUnknown, isTaken, isTurnedAway } = sending;
    if (isTaken) return this.#refused(payment, nonceTaken);
    if (isUnknown || isTurnedAway) return this.#refused(payment, "unexpected_settle_error");
    if (settlement?.outcome) return named(settlement.outcome, payment);
    if (settlement && !isMined) return this.#withoutReceipt(payment, at, settlement);
    const outcome = officialOutcome(response);
    // The official schemes take a read that failed for a refusal: without a chain nothing is known.
    if (!settlement && (guarded.fault || !(await this.#isChainThere())))
      return this.#refused(payment, "unexpected_settle_error");
    if (settlement && outcome.errorReason !== "settlement_pending") {
      try {
        await this.#end(at, settlement, outcome);
      } catch {
        return this.#pending(payment, settlement);
      }
    }
    if (outcome.success) return named(outcome, payment);
    return this.#explained(payment, outcome);
  }

  #isChainThere(): Promise<boolean> {
    return this.#options.client.getBlockNumber().then(
      () => true,
      () => false,
    );
  }

  /** Stores the call with its payment's record, then waits for its block. */
  async #deliver(
    payment: Payment,
    at: RecordKey,
    call: SettlingCall,
    sending: Sending,
  ): Promise<SentTransaction> {
    const { sender, settleTimeoutMs } = this.#options;
    const settlement = await this.#store(payment, at, call).catch((error: unknown) =>
      this.#storedAllTheSame(at, sending, error),
    );
    if (settlement.content !== payment.content) {
      sending.isTaken = true;
      throw new Error("the nonce stands on another payment");
    }
    sending.settlement = settlement;
    const mined = await sender.wait(settlement.transactionId, settleTimeoutMs);
    sending.isMined = true;
    return mined;
  }

  /** The connection may have broken after the commit, so that the settlement stands. @throws `error` when it does not */
  async #storedAllTheSame(at: RecordKey, sending: Sending, error: unknown): Promise<Settlement> {
    sending.isUnknown = true;
    const known = await findSettlement(this.#options.sql, at.runId, at.key);
    sending.isUnknown = false;
    if (known && known.outcome?.success !== false) return known;
    sending.isTurnedAway = error instanceof BursarError && error.status >= 500;
    throw error;
  }

  /**
   * Begins the settlement, or begins a failed one anew. The outbox: the transaction to be sent is stored together with its
   * payment's record, so that no crash leaves one without the other.
   * @returns what stands now; another payment's, if that was first with the key
   */
  async #store(payment: Payment, at: RecordKey, call: SettlingCall): Promise<Settlement> {
    const { sql, clock, sender, own } = this.#options;
    const { content, kind } = payment;
    const whose = own ? { isIndependent: true } : { isRelayed: true };
    const request = { ...call, purpose: `x402.${kind}`, ...whose, gasMax: this.#gasMaxOf(payment) };
    await this.#admit(at, { key: `x402:${at.key}`, ...request });
    const stored = await sql.begin(async (tx): Promise<Settlement> => {
      const known = await lockSettlement(tx, at);
      if (known && known.outcome?.success !== false) return known;
      const attempt = (known?.attempt ?? 0) + 1;
      const key = `x402:${at.key}:${attempt}`;
      const transactionId = await sender.enqueueTx(tx, { key, ...request });
      const begun = { content, attempt, transactionId, outcome: null };
      await saveSettlement(tx, at, begun, clock.now());
      return begun;
    });
    return stored as Settlement;
  }

  #readerFor(payment: Payment): GuardedReader {
    const { client, untrustedCode, sender } = this.#options;
    return new GuardedReader(
      { client, untrustedCode, gasMax: this.#gasMaxOf(payment) },
      payment,
      sender.sender,
    );
  }

  #gasMaxOf({ kind, payload }: Payment): bigint {
    const { gasMax, own } = this.#options;
    const { claims } = payload.payload as { claims?: readonly unknown[] };
    return kind === "claim" && claims
      ? gasMax + BigInt(claims.length - 1) * (own?.gasPerClaim ?? 0n)
      : gasMax;
  }

  /** The scheme has judged the payment, not what it costs to settle: a payer may be code. What stands already is not judged. */
  async #admit(at: RecordKey, request: TransactionRequest): Promise<void> {
    const stands = async () => {
      const known = await findSettlement(this.#options.sql, at.runId, at.key);
      return known !== null && known.outcome?.success !== false;
    };
    if (await stands()) return;
    try {
      await this.#options.sender.admit(request);
    } catch (error) {
      // Another caller may have settled it meanwhile, so that it works no more.
      if (!(await stands())) throw error;
    }
  }

  async #end(at: RecordKey, { attempt }: Settlement, outcome: SettleAnswer): Promise<void> {
    const { sql, clock } = this.#options;
    await endSettlement(sql, { ...at, attempt }, outcome, clock.now());
  }

  /**
   * There is no receipt: not yet, or the transaction failed. What is stored of the transaction says which, never the
   * error that somebody met who waited for it: an outage of chain or database says nothing of a payment.
   */
  async #withoutReceipt(payment: Payment, at: RecordKey, settlement: Settlement): Promise<SettleAnswer> {
    try {
      const found = await this.#options.sender.find(settlement.transactionId);
      if (!found || !failedSoFar(found)) return await this.#pending(payment, settlement);
      const failed = { success: false, ...placeOf(payment), transaction: found.hash ?? "" };
      const outcome =
        (await this.#arrived(payment, found.hash ? found.blockNumber : null)) ??
        (await this.#explained(payment, { ...failed, errorReason: "invalid_transaction_state" }));
      await this.#end(at, settlement, outcome);
      return named(outcome, payment);
    } catch {
      // What cannot be read or stored now is at the next settle.
      return this.#pending(payment, settlement);
    }
  }

  async #pending(payment: Payment, { transactionId }: Settlement): Promise<SettleAnswer> {
    // Without the database the hash is not known; the answer is the same.
    const hash = await newestHash(this.#options.sql, transactionId).catch(() => null);
    const explain = explanationOf("settlement_pending", { transactionId: transactionId.toString() });
    return {
      success: false,
      errorReason: "settlement_pending",
      ...placeOf(payment),
      transaction: hash ?? "",
      ...inWords(explain),
    };
  }

  /** A failure in words; what the chain says of the payment now is more than that a transaction failed. */
  async #explained(payment: Payment, outcome: SettleAnswer): Promise<SettleAnswer> {
    const reason = outcome.errorReason ?? "unexpected_settle_error";
    const now =
      reason === "invalid_transaction_state" && payment.kind === "exact"
        ? await this.#verifying.judge(payment)
        : null;
    const { code, explain } = await this.#verifying.explain(
      payment,
      now && !now.isValid && now.invalidReason ? now.invalidReason : reason,
    );
    return {
      ...outcome,
      errorReason: code,
      ...inWords(explain, "errorMessage", outcome.extra),
      network: payment.network,
    };
  }

  async #refused(payment: Payment, reason: string): Promise<SettleAnswer> {
    const { code, explain } = await this.#verifying.explain(payment, reason);
    return { success: false, errorReason: code, ...placeOf(payment), ...inWords(explain) };
  }

  /** A settle without a nonce of its own is the same only while the receiver's claimed sum is. */
  async #keyOf({ kind, key, payload }: Payment): Promise<Hex> {
    if (kind !== "settle") return key;
    const { receiver, token } = payload.payload as { receiver: Address; token: Address };
    const { client, batchSettlement } = this.#options;
    const sums = await receiverSums(client, batchSettlement, { receiver, token });
    return hashOf([key, sums.map(String)]);
  }
}

/** The transaction will never take effect. */
const failedSoFar = ({ state, success }: SentTransaction): boolean =>
  state === "failed" || state === "run_lost" || (state === "mined" && success === false);
