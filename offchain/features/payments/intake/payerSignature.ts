import { type Address, type Hex, hexToBytes } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { Recovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { addressOfKey, contractForm, parseSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { claimGasMax, simulateClaim } from "../contract.ts";
import { channelUnknown, prejudge } from "../rules/admission.ts";
import { type AcceptingChannel, type EarlierPayment, Seen } from "../rules/group.ts";
import type { ChannelConfig, PaymentRequest } from "../service.ts";
import type { VoucherHasher } from "./voucherHash.ts";

/** A voucher of a channel without a `payerAuthorizer`. */
export interface PayerQuestion {
  readonly payment: PaymentRequest;
  /** What the payment says that it adds, base units. */
  readonly amount: bigint | undefined;
  readonly terms: ChannelConfig;
}

/** How vouchers stand before anything is known of their signatures. */
export interface Standing {
  readonly channels: ReadonlyMap<string, AcceptingChannel>;
  /** What is booked under the same keys and cumulative amounts. */
  readonly earlier: readonly EarlierPayment[];
}

/** How many vouchers of one request payers' code was asked about. */
export interface CodeQuestions {
  count: number;
}

/** Of one request at most so many: each of them has the node run what its payer likes. */
const codeQuestionsMax = 16;

export interface PayerSignatureOptions {
  readonly client: Pick<ChainReader, "getCode">;
  /** Runs payers' code. */
  readonly untrustedCode: Pick<UntrustedCode<Pick<ChainReader, "call">>, "run">;
  readonly view: Pick<ChainView, "status">;
  readonly clock: Clock;
  readonly recovery: Recovery;
  readonly hasher: VoucherHasher;
  readonly settlement: Address;
  /** Who claims. */
  readonly operator: Address;
  readonly standing: (payments: readonly PaymentRequest[]) => Promise<Standing>;
}

type Verdict = BursarError | null;

/**
 * Vouchers that the payer signs itself: channels without a `payerAuthorizer`. The signature of an account without code is
 * checked by its key. For one with code — a contract wallet (ERC-1271), or an account that delegates to one and has session
 * keys beside its own (EIP-7702) — the settlement contract is asked whether it would take the claim of this very voucher now. Both answers
 * hold while the chain's head stands, for the code may change with every block. The code is asked last, of a voucher that
 * would be accepted otherwise, and about few of one request. What is booked was asked about then, and is not asked again.
 */
export class PayerSignatures {
  readonly #options: PayerSignatureOptions;
  readonly #hasCode: AtHead<boolean>;
  readonly #verdicts: AtHead<Verdict>;

  constructor(options: PayerSignatureOptions) {
    this.#options = options;
    this.#hasCode = new AtHead(options.view, options.clock);
    this.#verdicts = new AtHead(options.view, options.clock);
  }

  /**
   * For each voucher its signature, as the contract takes it; or why it is refused. In order.
   * @param questions few: the chain is asked about all of them at once
   */
  async check(
    questions: readonly PayerQuestion[],
    asked: CodeQuestions,
  ): Promise<(Uint8Array | BursarError)[]> {
    if (questions.length === 0) return [];
    const { channels, earlier } = await this.#options.standing(questions.map(({ payment }) => payment));
    const seen = new Seen(earlier);
    return Promise.all(
      questions.map(
        (question) =>
          bookedSignature(question, seen) ??
          this.#checkOne(question, () => {
            const channel = channels.get(question.payment.channelId);
            if (!channel) throw channelUnknown(question.payment.channelId);
            prejudge(channel, voucherOf(question), seen);
            if (asked.count >= codeQuestionsMax) throw tooMany(question);
            asked.count += 1;
          }),
      ),
    );
  }

  /** @param beforeCode throws for what the payer's code need not be asked about */
  async #checkOne(question: PayerQuestion, beforeCode: () => void): Promise<Uint8Array | BursarError> {
    const { payer, receiverAuthorizer } = question.terms;
    const { channelId, maxClaimableAmount, signature } = question.payment;
    if (receiverAuthorizer.toLowerCase() !== this.#options.operator.toLowerCase())
      return claimedByOther(channelId, receiverAuthorizer);
    try {
      const hasCode = await this.#hasCode.get(payer, () => this.#readCode(payer));
      if (!hasCode) return await this.#checkKey(question);
      beforeCode();
      const verdict = await this.#verdicts.get(`${channelId}:${maxClaimableAmount}:${signature}`, () =>
        this.#askContract(question),
      );
      return verdict ?? hexToBytes(signature);
    } catch (cause) {
      if (cause instanceof BursarError && cause.code !== "CHAIN_UNAVAILABLE") return cause;
      return new BursarError("CHAIN_UNAVAILABLE", "the chain cannot be asked whether the payer signed this", {
        facts: { channelId, payer },
        cause,
      });
    }
  }

  async #readCode(payer: Address): Promise<boolean> {
    const code = await this.#options.client.getCode({ address: payer, blockTag: "pending" });
    return code !== undefined && code !== "0x";
  }

  async #checkKey({ payment, terms }: PayerQuestion): Promise<Uint8Array | BursarError> {
    const { recovery, hasher } = this.#options;
    const signature = parseSignature(payment.signature);
    if (!signature) return forged(payment, terms.payer, null);
    const digest = hasher.voucherDigest(payment.channelId, payment.maxClaimableAmount);
    const [key] = await recovery.recover([{ digest, signature }]);
    const recovered = key ? addressOfKey(key) : null;
    if (recovered !== terms.payer) return forged(payment, terms.payer, recovered);
    return contractForm(signature);
  }

  async #askContract({ payment, terms }: PayerQuestion): Promise<Verdict> {
    const { channelId, maxClaimableAmount, signature } = payment;
    const { untrustedCode, settlement, operator } = this.#options;
    const at = { settlement, operator, gas: claimGasMax };
    const voucher = { channelId, config: terms, maxClaimableAmount, signature };
    const verdict = await untrustedCode.run(claimGasMax, (reader) => simulateClaim(reader, at, voucher));
    if (!verdict.isTaken) return refusal(verdict.error, payment, terms);
    return verdict.claimed >= maxClaimableAmount ? stale(payment, verdict.claimed) : null;
  }
}

const voucherOf = ({ payment: { channelId, key, maxClaimableAmount, payee }, amount }: PayerQuestion) => ({
  channelId,
  key,
  maxClaimableAmount,
  payee,
  amount,
});

/** The signature of a booked voucher, if this is the same one. */
function bookedSignature({ payment }: PayerQuestion, seen: Seen<EarlierPayment>): Uint8Array | null {
  const booked = seen.byKey(payment);
  if (!booked || booked === "now" || booked.cumulative !== payment.maxClaimableAmount) return null;
  const isSame = signatureForms(payment.signature).some(
    (form) => Buffer.compare(form, booked.signature) === 0,
  );
  return isSame ? booked.signature : null;
}

/** As a booked voucher may hold it: as it was sent, or, if a key's, as the contract takes it. */
function signatureForms(signature: Hex): Uint8Array[] {
  const parsed = parseSignature(signature);
  return parsed ? [hexToBytes(signature), contractForm(parsed)] : [hexToBytes(signature)];
}

/** Why the contract would not take the claim. @param error the contract's, if it is one of its own */
function refusal(error: string | null, payment: PaymentRequest, terms: ChannelConfig): BursarError {
  const { channelId, maxClaimableAmount } = payment;
  switch (error) {
    case "BatchSettlement_UnknownChannel":
    case "BatchSettlement_ClaimExceedsBalance":
      return new BursarError("VOUCHER_OVER_DEPOSIT", "voucher promises more than the channel holds", {
        facts: { channelId, got: maxClaimableAmount },
      });
    case "BatchSettlement_NotReceiverSide":
      return new BursarError(
        "CHANNEL_MISMATCH",
        `${terms.receiverAuthorizer} claims this channel's vouchers`,
        {
          facts: { channelId, receiverAuthorizer: terms.receiverAuthorizer },
        },
      );
    default:
      return notTaken(payment, terms.payer);
  }
}

const tooMany = ({ payment: { channelId }, terms: { payer } }: PayerQuestion) =>
  new BursarError(
    "VOUCHER_UNCHECKED",
    `a request may carry ${codeQuestionsMax} vouchers that their payers' code has to judge; send this one again in another`,
    { facts: { channelId, payer, limit: codeQuestionsMax } },
  );

const claimedByOther = (channelId: Hex, receiverAuthorizer: Address) =>
  new BursarError(
    "CHANNEL_MISMATCH",
    `${receiverAuthorizer} claims this channel's vouchers, not this service`,
    {
      facts: { channelId, receiverAuthorizer },
    },
  );

const stale = ({ channelId, maxClaimableAmount }: PaymentRequest, claimed: bigint) =>
  new BursarError("VOUCHER_STALE", "what the voucher promises is claimed already", {
    facts: { channelId, got: maxClaimableAmount, accepted: claimed },
  });

/** Its check may fail for want of gas inside the contract's, which cannot be told from a no. */
const notTaken = (payment: PaymentRequest, payer: Address) =>
  forgedFor(
    payment,
    `the code of ${payer} does not take the signature of this voucher, or needs more gas for it than the ${claimGasMax} of a claim`,
    { signer: payer, recovered: null, gasMax: claimGasMax },
  );

const forged = (payment: PaymentRequest, payer: Address, recovered: Address | null) =>
  forgedFor(payment, `the voucher is not signed by ${payer} for this channel, amount and chain`, {
    signer: payer,
    recovered,
  });

const forgedFor = (
  { channelId, signature }: PaymentRequest,
  message: string,
  facts: Readonly<Record<string, bigint | string | null>>,
) =>
  new BursarError("VOUCHER_FORGED", message, {
    facts: { channelId, ...facts },
    fields: [
      {
        field: "signature",
        message: "must be the payer's EIP-712 signature of this voucher, or one that its code accepts",
        value: signature.slice(0, 200),
      },
    ],
  });
