import { x402Facilitator } from "@x402/core/facilitator";
import type { SettleResponse, VerifyResponse } from "@x402/core/types";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/facilitator";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import type { Address, Hex } from "viem";
import { batchSettlementAbi } from "#contracts";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { ChainReader } from "#offchain/platform/chain/client.ts";
import { currentEpoch } from "#offchain/platform/chain/indexer/checkpoint.ts";
import type { SentTransaction } from "#offchain/platform/chain/port.ts";
import type { Sender } from "#offchain/platform/chain/sender/sender.ts";
import { attemptsOf } from "#offchain/platform/chain/sender/transactionStore.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { diagnose } from "./diagnosis.ts";
import { explanationOf, specifiedReason } from "./explain.ts";
import {
  type FacilitatorTerms,
  hashOf,
  networkNamesOf,
  type Payment,
  readPayment,
  type Unreadable,
} from "./payment.ts";
import type {
  Facilitator,
  SettleAnswer,
  Settlement,
  SupportedKinds,
  VerifyAnswer,
  X402Request,
} from "./service.ts";
import { type EvmSigner, evmSigner, readingSigner, type SettlingCall } from "./signer.ts";
import { beginSettlement, endSettlement, findSettlement } from "./store.ts";

export interface FacilitatorOptions extends FacilitatorTerms {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly client: ChainReader;
  readonly sender: Pick<Sender, "sender" | "enqueueTx" | "wait" | "find">;
  readonly batchSettlement: Address;
  readonly treasury: Address;
  /** How long a settle waits for its block before it answers `settlement_pending`. */
  readonly settleTimeoutMs: number;
  /** Told what each settle answered: `settled`, or the code of the refusal. */
  readonly onSettle?: (outcome: string) => void;
}

/** What one settlement knows of its transaction. */
interface Sending {
  settlement: Settlement | null;
  /** Why there is no receipt yet, or never will be. */
  problem: BursarError | null;
  /** Another payment stands under the key. */
  isTaken: boolean;
}

const isUnreadable = (read: Payment | Unreadable): read is Unreadable => "reason" in read;

/** Opens the facilitator: the official schemes judge, the durable sender sends, and each payment has one record. */
export function openFacilitator(options: FacilitatorOptions): Facilitator {
  const { sql, clock, client, sender, chainId } = options;
  const network = `eip155:${chainId}` as const;
  const reading = readingSigner(client, sender.sender);
  const official = schemesOf(reading);
  const answerFor = async (payment: Payment, reason: string, raw?: string) => {
    const explain = await diagnose(options, payment, specifiedReason(reason), raw);
    return { ...explain, network: payment.network };
  };

  async function verify(request: X402Request): Promise<VerifyAnswer> {
    const payment = readPayment(request, options);
    if (isUnreadable(payment))
      return { isValid: false, invalidReason: payment.reason, ...inWords(payment.explain, "invalidMessage") };
    return verifyPayment(payment);
  }

  async function verifyPayment(payment: Payment): Promise<VerifyAnswer> {
    const verdict = await judge(payment);
    const payer = payment.payer ?? verdict.payer;
    if (verdict.isValid)
      return { isValid: true, ...(payer && { payer }), ...(verdict.extra && { extra: verdict.extra }) };
    const recalled = payment.kind === "deposit" ? await recallDeposit(payment) : null;
    if (recalled) return recalled;
    const reason = verdict.invalidReason ?? "unexpected_verify_error";
    const { code, explain } = await answerFor(payment, reason, verdict.invalidMessage);
    return {
      isValid: false,
      invalidReason: code,
      ...(payer && { payer }),
      ...inWords(explain, "invalidMessage", verdict.extra),
    };
  }

  /** A deposit that was collected already stands as what its voucher is: the server's own count keeps it from a second use. */
  async function recallDeposit({
    key,
    content,
    payload,
    requirements,
  }: Payment): Promise<VerifyAnswer | null> {
    const epoch = await currentEpoch(sql, chainId);
    const known = epoch && (await findSettlement(sql, epoch.id, key));
    if (known?.content !== content || !known.outcome?.success) return null;
    const { channelConfig, voucher } = payload.payload;
    const standing = { ...payload, payload: { type: "voucher", channelConfig, voucher } };
    const { isValid, payer, extra } = await official.verify(standing, requirements).catch(() => ({
      isValid: false,
      payer: undefined,
      extra: undefined,
    }));
    return isValid ? { isValid, ...(payer && { payer }), ...(extra && { extra }) } : null;
  }

  async function judge(payment: Payment): Promise<VerifyResponse> {
    if (payment.kind === "claim" || payment.kind === "settle")
      return { isValid: false, invalidReason: "invalid_batch_settlement_evm_payload_type" };
    try {
      const verdict = await official.verify(payment.payload, payment.requirements);
      // The official schemes take a read that failed for a bad signature: without a chain nothing is known.
      if (!verdict.isValid) await client.getBlockNumber();
      return verdict;
    } catch (error) {
      return { isValid: false, invalidReason: "unexpected_verify_error", invalidMessage: messageOf(error) };
    }
  }

  async function settle(request: X402Request): Promise<SettleAnswer> {
    const payment = readPayment(request, options);
    if (isUnreadable(payment)) {
      const { reason, explain, network: sent } = payment;
      return { success: false, errorReason: reason, transaction: "", network: sent, ...inWords(explain) };
    }
    const epoch = await currentEpoch(sql, chainId);
    if (!epoch) return refused(payment, "unexpected_settle_error", "the service has not met the chain yet");
    const key = await keyOf(payment).catch(() => null);
    if (!key) return refused(payment, "unexpected_settle_error");
    const at = { epochId: epoch.id, key };
    const known = await findSettlement(sql, at.epochId, at.key);
    if (known && known.content === payment.content && known.outcome?.success)
      return named(known.outcome, payment);
    if (known && known.outcome?.success !== false)
      return known.content === payment.content ? resume(payment, at, known) : refused(payment, taken);
    return begin(payment, at);
  }

  /** A payment that is new, or has failed before. */
  async function begin(payment: Payment, at: { epochId: bigint; key: Hex }): Promise<SettleAnswer> {
    if (payment.kind === "exact" || payment.kind === "deposit") {
      const { isValid, invalidReason, invalidMessage, extra } = await verifyPayment(payment);
      if (!isValid) {
        // Another caller may have settled this very payment since it was looked for.
        const now = await findSettlement(sql, at.epochId, at.key);
        if (now?.content === payment.content && now.outcome?.success !== false)
          return resume(payment, at, now);
        if (!invalidReason || invalidReason === "unexpected_verify_error")
          return refused(payment, "unexpected_settle_error");
        return {
          success: false,
          errorReason: invalidReason,
          ...(invalidMessage && { errorMessage: invalidMessage }),
          ...(extra && { extra }),
          ...placeOf(payment),
        };
      }
    }
    return send(payment, at);
  }

  /** A payment whose transaction is stored already: sent once, whoever asks again. */
  async function resume(
    payment: Payment,
    at: { epochId: bigint; key: Hex },
    known: Settlement,
  ): Promise<SettleAnswer> {
    if (known.outcome) return named(known.outcome, payment);
    try {
      const { hash } = await sender.wait(known.transactionId, options.settleTimeoutMs);
      const outcome = await recall(payment, hash ?? "0x");
      if (outcome.errorReason !== "settlement_pending")
        await endSettlement(sql, { ...at, ...known }, outcome, clock.now());
      return named(outcome, payment);
    } catch (error) {
      return afterProblem(payment, at, known, error);
    }
  }

  /** Has the official scheme read the receipt of a transaction that was sent before. */
  async function recall(payment: Payment, hash: Hex): Promise<SettleAnswer> {
    const remembered = { get: async () => hash, set: async () => {}, delete: async () => {} };
    if (payment.kind === "exact" || payment.kind === "deposit")
      return officialOutcome(
        await schemesOf(reading, remembered).settle(payment.payload, payment.requirements),
      );
    return { success: true, ...placeOf(payment), transaction: hash };
  }

  async function send(payment: Payment, at: { epochId: bigint; key: Hex }): Promise<SettleAnswer> {
    const sending: Sending = { settlement: null, problem: null, isTaken: false };
    const signer = evmSigner(client, sender.sender, (call) => deliver(payment, at, call, sending));
    let response: SettleResponse;
    try {
      response = await schemesOf(signer).settle(payment.payload, payment.requirements);
    } catch (error) {
      response = {
        success: false,
        errorReason: "unexpected_settle_error",
        errorMessage: messageOf(error),
        transaction: "",
        network,
      };
    }
    const { settlement, problem, isTaken } = sending;
    if (isTaken) return refused(payment, taken);
    if (settlement?.outcome) return named(settlement.outcome, payment);
    if (settlement && problem) return afterProblem(payment, at, settlement, problem);
    const outcome = officialOutcome(response);
    if (settlement && outcome.errorReason !== "settlement_pending")
      await endSettlement(sql, { ...at, attempt: settlement.attempt }, outcome, clock.now());
    if (outcome.success) return named(outcome, payment);
    return explained(payment, outcome);
  }

  /** Stores the call with its payment's record, then waits for its block. */
  async function deliver(
    payment: Payment,
    at: { epochId: bigint; key: Hex },
    call: SettlingCall,
    sending: Sending,
  ): Promise<SentTransaction> {
    const now = clock.now();
    const settlement = await beginSettlement(sql, { ...at, content: payment.content }, now, (tx, attempt) =>
      sender.enqueueTx(tx, { key: `x402:${at.key}:${attempt}`, ...call, purpose: `x402.${payment.kind}` }),
    );
    if (settlement.content !== payment.content) {
      sending.isTaken = true;
      throw new Error("the nonce stands on another payment");
    }
    sending.settlement = settlement;
    try {
      return await sender.wait(settlement.transactionId, options.settleTimeoutMs);
    } catch (error) {
      if (error instanceof BursarError) sending.problem = error;
      throw error;
    }
  }

  /** There is no receipt: either not yet, or the transaction failed. */
  async function afterProblem(
    payment: Payment,
    at: { epochId: bigint; key: Hex },
    { transactionId, attempt }: Settlement,
    problem: unknown,
  ): Promise<SettleAnswer> {
    if (!(problem instanceof BursarError) || problem.code === "CHAIN_UNAVAILABLE") {
      const [newest] = await attemptsOf(sql, transactionId);
      const explain = explanationOf("settlement_pending", { transactionId: transactionId.toString() });
      return {
        success: false,
        errorReason: "settlement_pending",
        ...placeOf(payment),
        transaction: newest?.hash ?? "",
        ...inWords(explain),
      };
    }
    const found = await sender.find(transactionId);
    const failed = { success: false, ...placeOf(payment), transaction: found?.hash ?? "" };
    const outcome = await explained(payment, {
      ...failed,
      errorReason: "invalid_transaction_state",
      errorMessage: problem.message,
    });
    await endSettlement(sql, { ...at, attempt }, outcome, clock.now());
    return outcome;
  }

  /** A failure in words; what the chain says of the payment now is more than that a transaction failed. */
  async function explained(payment: Payment, outcome: SettleAnswer): Promise<SettleAnswer> {
    const reason = outcome.errorReason ?? "unexpected_settle_error";
    const now =
      reason === "invalid_transaction_state" && payment.kind === "exact" ? await judge(payment) : null;
    const { code, explain } = await answerFor(
      payment,
      now && !now.isValid && now.invalidReason ? now.invalidReason : reason,
      `${outcome.errorMessage ?? ""} ${now?.invalidMessage ?? ""}`,
    );
    return {
      ...outcome,
      errorReason: code,
      ...inWords(explain, "errorMessage", outcome.extra),
      network: payment.network,
    };
  }

  async function refused(payment: Payment, reason: string, raw?: string): Promise<SettleAnswer> {
    const { code, explain } = await answerFor(payment, reason, raw);
    return { success: false, errorReason: code, ...placeOf(payment), ...inWords(explain) };
  }

  /** A settle without a nonce of its own is the same only while the receiver's claimed sum is. */
  async function keyOf({ kind, key, payload }: Payment): Promise<Hex> {
    if (kind !== "settle") return key;
    const { receiver, token } = payload.payload as { receiver: Address; token: Address };
    const sums = await client.readContract({
      address: options.batchSettlement,
      abi: batchSettlementAbi,
      functionName: "receivers",
      args: [receiver, token],
    });
    return hashOf([key, sums.map(String)]);
  }

  return {
    identify(request) {
      const read = readPayment(request, options);
      if (isUnreadable(read)) return { reason: read.reason, explain: read.explain };
      return { key: read.key, content: read.content, kind: read.kind };
    },
    supported: async () => supportedKinds(official, network, chainId),
    verify,
    async settle(request) {
      const answer = await settle(request);
      options.onSettle?.(answer.success ? "settled" : (answer.errorReason ?? "unexpected_settle_error"));
      return answer;
    },
  };
}

const taken = "invalid_exact_evm_nonce_already_used";

type Pending = NonNullable<ConstructorParameters<typeof ExactEvmScheme>[1]>["pendingSettlementStore"];

/** The official schemes; one set per settlement, because each sends one transaction of its own. */
function schemesOf(signer: EvmSigner, pendingSettlementStore?: Pending) {
  const config = pendingSettlementStore ? { pendingSettlementStore } : {};
  const exact = new ExactEvmScheme(signer, config);
  const batch = new BatchSettlementEvmScheme(signer, undefined, config);
  const of = (scheme: string) => (scheme === "exact" ? exact : batch);
  return {
    exact,
    batch,
    verify: (...[payload, requirements]: Parameters<x402Facilitator["verify"]>) =>
      of(requirements.scheme).verify(payload, requirements),
    settle: (...[payload, requirements]: Parameters<x402Facilitator["settle"]>) =>
      of(requirements.scheme).settle(payload, requirements),
  };
}

function supportedKinds(
  { exact, batch }: ReturnType<typeof schemesOf>,
  network: `eip155:${number}`,
  chainId: number,
): SupportedKinds {
  const { kinds, extensions, signers } = new x402Facilitator()
    .register(network, exact)
    .register(network, batch)
    .getSupported();
  const first = networkNamesOf(chainId).map((name) => ({ x402Version: 1, scheme: "exact", network: name }));
  return { kinds: [...kinds, ...first], extensions, signers };
}

const placeOf = (payment: Payment) => ({
  transaction: "",
  network: payment.network,
  ...(payment.payer && { payer: payment.payer }),
});

const officialOutcome = (response: SettleResponse): SettleAnswer => {
  const { success, errorReason, errorMessage, payer, transaction, network, amount, extra } = response;
  return {
    success,
    ...(errorReason && { errorReason: specifiedReason(errorReason) }),
    ...(errorMessage && { errorMessage: errorMessage.slice(0, 500) }),
    ...(payer && { payer }),
    transaction,
    network,
    ...(amount !== undefined && { amount }),
    ...(extra && { extra }),
  };
};

/** The stored answer under the name of the network that this sender uses. */
const named = (outcome: SettleAnswer, { network }: Payment): SettleAnswer => ({ ...outcome, network });

function inWords<Name extends "errorMessage" | "invalidMessage" = "errorMessage">(
  explain: NonNullable<SettleAnswer["extra"]>["explain"] & object,
  name: Name = "errorMessage" as Name,
  extra: Readonly<Record<string, unknown>> = {},
) {
  return { [name]: explain.message, extra: { ...extra, explain } } as { [Key in Name]: string } & {
    extra: NonNullable<SettleAnswer["extra"]>;
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
