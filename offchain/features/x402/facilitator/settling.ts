import type { Address, Hex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { SentTransaction, Transactions } from "#offchain/platform/chain/port.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { receiverSums } from "../contract.ts";
import type { SettleAnswer } from "../rules/answer.ts";
import {
  type EndState,
  isOpen,
  next,
  type OpenState,
  type SettleEvent,
  type Settlement,
  type SettleState,
  settleUnavailable,
  standingOf,
} from "../rules/settlement.ts";
import {
  amendFailure,
  endSettlement,
  findSettlement,
  newestHash,
  type RecordKey,
} from "../store/settlements.ts";
import { inWords, messageOf, named, placeOf } from "./answer.ts";
import { explanationOf } from "./explain.ts";
import { GuardedReader, type GuardedReaderOptions } from "./guardedReader.ts";
import { officialOutcome, schemesOf } from "./official.ts";
import { gasMaxOf, Outbox, type OutboxOptions } from "./outbox.ts";
import { hashOf, type Payment } from "./payment.ts";
import { evmSigner, readingSigner, type SettlingCall } from "./signer.ts";
import { TransferSearch } from "./transferSearch.ts";
import type { Verifying } from "./verifying.ts";

export interface SettlingOptions extends GuardedReaderOptions, OutboxOptions {
  readonly log: Log;
  readonly chainId: number;
  /** @throws BursarError CHAIN_UNAVAILABLE before the chain is met */
  readonly runId: () => bigint;
  readonly sender: Pick<Transactions, "sender" | "admit" | "enqueueTx" | "wait" | "find">;
  readonly usdc: Address;
  readonly batchSettlement: Address;
}

/**
 * Brings payments to the chain, each once: the official schemes judge, the durable sender sends, one record each. Here is
 * what is done in each state of a settle; what follows from it, `rules/settlement.ts` says.
 */
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
    const runId = this.#options.runId();
    const key = await this.#keyOf(payment).catch((error: unknown) =>
      this.#unknown(error, "the receiver's claimed sum could not be read"),
    );
    if (!key) return this.#declined(payment, settleUnavailable);
    const at = { runId, key };
    let state: SettleState = { name: "begun" };
    while (isOpen(state)) state = await this.#advance(state, payment, at);
    return this.#answer(state, payment);
  }

  /** Whether a settle of this very payment was answered as failed, and nothing has come of it since. */
  async hasFailed({ key, content }: Payment): Promise<boolean> {
    const known = await findSettlement(this.#options.sql, { runId: this.#options.runId(), key });
    const standing = standingOf(known, content);
    return standing.kind === "failed" && standing.isThisPayment;
  }

  /** Does what is to do in this state. Until a transaction may stand, an outage is the caller's answer: it throws. */
  async #advance(state: OpenState, payment: Payment, at: RecordKey): Promise<SettleState> {
    switch (state.name) {
      case "begun":
        return next(state, await this.#find(payment, at));
      case "verifying":
        return next(state, await this.#verify(payment));
      case "refused":
        return next(state, await this.#find(payment, at));
      case "sending":
        return next(state, await this.#send(payment, at));
      case "waiting":
        return next(state, await this.#wait(state).catch(this.#interrupted(state)));
      case "reading":
        return next(state, await this.#read(state, payment).catch(this.#interrupted(state)));
      case "inspecting":
        return next(state, await this.#inspect(state, payment).catch(this.#interrupted(state)));
      case "searching":
        return next(state, await this.#search(state, payment).catch(this.#interrupted(state)));
      case "recording":
        return next(state, await this.#record(state, payment, at).catch(this.#interrupted(state)));
    }
  }

  async #find({ content }: Payment, at: RecordKey): Promise<SettleEvent<"begun">> {
    return { kind: "found", standing: standingOf(await findSettlement(this.#options.sql, at), content) };
  }

  async #verify(payment: Payment): Promise<SettleEvent<"verifying">> {
    if (payment.kind !== "exact" && payment.kind !== "deposit") return { kind: "valid" };
    const { isValid, invalidReason, invalidMessage, extra } = await this.#verifying.verify(payment);
    if (isValid) return { kind: "valid" };
    const refusal = {
      success: false,
      ...(invalidReason && { errorReason: invalidReason }),
      ...(invalidMessage && { errorMessage: invalidMessage }),
      ...(extra && { extra }),
      ...placeOf(payment),
    };
    return { kind: "invalid", refusal };
  }

  async #send(payment: Payment, at: RecordKey): Promise<SettleEvent<"sending">> {
    const { client, sender } = this.#options;
    const outbox = new Outbox(this.#options, payment, at);
    const guarded = this.#readerFor(payment);
    // The official schemes keep what is thrown at them to themselves.
    const deliver = (call: SettlingCall) =>
      outbox.deliver(call).catch((error: unknown) => {
        this.#unknown(error, "a settlement could not be delivered");
        throw error;
      });
    const schemes = schemesOf(evmSigner(client, guarded, sender.sender, deliver));
    const outcome = await schemes
      .settle(payment.payload, payment.requirements)
      .then(officialOutcome, (error: unknown): SettleAnswer => {
        this.#unknown(error, "the official scheme threw");
        const errorMessage = messageOf(error).slice(0, 500);
        return { success: false, errorReason: settleUnavailable, errorMessage, ...placeOf(payment) };
      });
    const { delivery } = outbox;
    // The official schemes take a read that failed for a refusal: without a chain nothing is known.
    const isChainAway = delivery.kind === "none" && (guarded.fault !== null || !(await this.#isChainThere()));
    return { kind: "sent", delivery, outcome, isChainAway };
  }

  async #wait({ settlement }: OpenState<"waiting">): Promise<SettleEvent<"waiting">> {
    const { sender, settleTimeoutMs } = this.#options;
    const { hash } = await sender.wait(settlement.transactionId, settleTimeoutMs);
    if (!hash) throw new Error(`the mined transaction ${settlement.transactionId} has no hash`);
    return { kind: "mined", hash };
  }

  async #read({ hash }: OpenState<"reading">, payment: Payment): Promise<SettleEvent<"reading">> {
    return { kind: "read", outcome: await this.#recall(payment, hash) };
  }

  /** What is stored of the transaction counts, never the error that somebody met who waited for it. */
  async #inspect(
    { settlement }: OpenState<"inspecting">,
    payment: Payment,
  ): Promise<SettleEvent<"inspecting">> {
    const found = await this.#options.sender.find(settlement.transactionId);
    if (!found || !isIneffective(found)) return { kind: "open" };
    const { hash, blockNumber } = found;
    const failure = { success: false, errorReason: "invalid_transaction_state", ...placeOf(payment) };
    return {
      kind: "ineffective",
      failure: { ...failure, transaction: hash ?? "" },
      toBlock: hash ? blockNumber : null,
    };
  }

  /** Looks for a payment that was ours to settle, and arrived by another's transaction: anybody may send what is signed. */
  async #search({ toBlock }: OpenState<"searching">, payment: Payment): Promise<SettleEvent<"searching">> {
    const hash = await this.#transfers.find(payment, toBlock);
    if (!hash) return { kind: "absent" };
    const outcome = await this.#recall(payment, hash);
    if (!outcome.success) throw new Error(`the payment's transfer in ${hash} cannot be read`);
    return { kind: "arrived", outcome };
  }

  async #record(
    { settlement, outcome, isAmending }: OpenState<"recording">,
    payment: Payment,
    at: RecordKey,
  ): Promise<SettleEvent<"recording">> {
    const { sql, clock } = this.#options;
    const worded = await this.#worded(payment, outcome);
    const store = isAmending ? amendFailure : endSettlement;
    await store(sql, { ...at, attempt: settlement.attempt }, worded, clock.now());
    return { kind: "recorded", outcome: worded };
  }

  #answer(state: EndState, payment: Payment): Promise<SettleAnswer> | SettleAnswer {
    switch (state.name) {
      case "answered":
        return named(state.outcome, payment);
      case "unrecorded":
        return this.#worded(payment, state.outcome);
      case "declined":
        return this.#declined(payment, state.reason);
      case "pending":
        return this.#pending(payment, state.settlement);
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

  #readerFor(payment: Payment): GuardedReader {
    const { client, untrustedCode, sender } = this.#options;
    const gasMax = gasMaxOf(this.#options, payment);
    return new GuardedReader({ client, untrustedCode, gasMax }, payment, sender.sender);
  }

  async #isChainThere(): Promise<boolean> {
    const head = await this.#options.client
      .getBlockNumber()
      .catch((error: unknown) => this.#unknown(error, "the chain's head could not be read"));
    return head !== null;
  }

  /** What kept a state's work from being done: it is known at the next settle. */
  #interrupted({ name, settlement }: OpenState & { readonly settlement: Settlement }) {
    return (error: unknown) => {
      this.#unknown(error, `a settle was interrupted while ${name}`, settlement.transactionId);
      return { kind: "interrupted" } as const;
    };
  }

  /** An error with a code is an outage or a refusal, as it is told elsewhere; any other is a fault of ours, and is logged. */
  #unknown(error: unknown, what: string, transactionId?: bigint): null {
    if (!(error instanceof BursarError)) this.#options.log.error({ err: error, transactionId }, what);
    return null;
  }

  async #pending(payment: Payment, { transactionId }: Settlement): Promise<SettleAnswer> {
    // Without the database the hash is not known; the answer is the same.
    const hash = await newestHash(this.#options.sql, transactionId).catch((error: unknown) =>
      this.#unknown(error, "the hash of a pending settlement could not be read", transactionId),
    );
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
  async #worded(payment: Payment, outcome: SettleAnswer): Promise<SettleAnswer> {
    if (outcome.success) return named(outcome, payment);
    const reason = outcome.errorReason ?? settleUnavailable;
    const now =
      reason === "invalid_transaction_state" && payment.kind === "exact"
        ? await this.#verifying.judge(payment)
        : null;
    const { code, explain } = await this.#verifying.explain(
      payment,
      now && !now.isValid && now.invalidReason ? now.invalidReason : reason,
    );
    return {
      ...named(outcome, payment),
      errorReason: code,
      ...inWords(explain, "errorMessage", outcome.extra),
    };
  }

  async #declined(payment: Payment, reason: string): Promise<SettleAnswer> {
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

/** It failed, reverted, or was lost with its chain's run: as things stand, it moves nothing. */
const isIneffective = ({ state, success }: SentTransaction): boolean =>
  state === "failed" || state === "run_lost" || (state === "mined" && success === false);
