import type { VerifyResponse } from "@x402/core/types";
import type { Address } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { VerifyAnswer } from "../rules/answer.ts";
import { isStanding } from "../rules/settlement.ts";
import { findSettlement } from "../store/settlements.ts";
import { inWords, messageOf } from "./answer.ts";
import { diagnose } from "./diagnosis.ts";
import { specifiedReason } from "./explain.ts";
import { GuardedReader, type GuardedReaderOptions } from "./guardedReader.ts";
import { schemesOf } from "./official.ts";
import type { Payment } from "./payment.ts";
import { readingSigner } from "./signer.ts";

export interface VerifyingOptions extends GuardedReaderOptions {
  readonly sql: Sql;
  readonly log: Log;
  /** @throws BursarError CHAIN_UNAVAILABLE before the chain is met */
  readonly runId: () => bigint;
  readonly usdc: Address;
  readonly treasury: Address;
}

/** Judges payments by the official schemes, and says in words what is against them. Nothing is sent. */
export class Verifying {
  readonly #options: VerifyingOptions;
  readonly #sender: Address;

  /** @param sender whose transactions the schemes simulate */
  constructor(options: VerifyingOptions, sender: Address) {
    this.#options = options;
    this.#sender = sender;
  }

  async verify(payment: Payment): Promise<VerifyAnswer> {
    const verdict = await this.judge(payment);
    const payer = payment.payer ?? verdict.payer;
    if (verdict.isValid)
      return { isValid: true, ...(payer && { payer }), ...(verdict.extra && { extra: verdict.extra }) };
    const recalled = payment.kind === "deposit" ? await this.#recallDeposit(payment) : null;
    if (recalled) return recalled;
    const reason = verdict.invalidReason ?? "unexpected_verify_error";
    const { code, explain } = await this.explain(payment, reason);
    return {
      isValid: false,
      invalidReason: code,
      ...(payer && { payer }),
      ...inWords(explain, "invalidMessage", verdict.extra),
    };
  }

  /**
   * A deposit that was collected already stands as what its voucher is: the server's own count keeps it from a second use.
   * It may be collected before anybody has asked what became of it: the chain says whether the channel holds it. Its key is
   * of all that the payer signed; what a metered request costs is no part of that.
   */
  async #recallDeposit(payment: Payment): Promise<VerifyAnswer | null> {
    const { sql, runId } = this.#options;
    const { key, payload, requirements } = payment;
    const known = await findSettlement(sql, { runId: runId(), key });
    if (!known || !isStanding(known)) return null;
    const { channelConfig, voucher } = payload.payload;
    const standing = { ...payload, payload: { type: "voucher", channelConfig, voucher } };
    const voucherAlone = { ...payment, kind: "voucher" as const, payload: standing };
    const { isValid, payer, extra } = await this.#official(voucherAlone)
      .schemes.verify(standing, requirements)
      .catch(this.#unjudged);
    return isValid ? { isValid, ...(payer && { payer }), ...(extra && { extra }) } : null;
  }

  /** What the official scheme says of the payment now. */
  async judge(payment: Payment): Promise<VerifyResponse> {
    if (payment.kind === "claim" || payment.kind === "settle")
      return { isValid: false, invalidReason: "invalid_batch_settlement_evm_payload_type" };
    try {
      const { schemes, guarded } = this.#official(payment);
      const verdict = await schemes.verify(payment.payload, payment.requirements);
      // The official schemes take a read that failed for a bad signature: without a chain nothing is known.
      if (!verdict.isValid) await this.#options.client.getBlockNumber();
      if (!verdict.isValid && guarded.fault) throw guarded.fault;
      return verdict;
    } catch (error) {
      return this.#unjudged(error);
    }
  }

  /** An error with a code is an outage; any other is a fault of ours or of the official scheme, and is logged. */
  readonly #unjudged = (error: unknown): VerifyResponse => {
    if (!(error instanceof BursarError))
      this.#options.log.warn({ err: error }, "a payment could not be judged");
    return { isValid: false, invalidReason: "unexpected_verify_error", invalidMessage: messageOf(error) };
  };

  #official(payment: Payment) {
    const guarded = new GuardedReader(this.#options, payment, this.#sender);
    return { guarded, schemes: schemesOf(readingSigner(this.#options.client, guarded, this.#sender)) };
  }

  /** A refusal in words, with what the chain says of the payment. */
  async explain(payment: Payment, reason: string) {
    return diagnose(this.#options, payment, specifiedReason(reason));
  }
}
