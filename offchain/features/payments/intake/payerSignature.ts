import { type Address, type Hex, hexToBytes } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { Recovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { addressOfKey, contractForm, parseSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { claimGasMax, simulateClaim } from "../contract.ts";
import type { ChannelConfig, PaymentRequest } from "../service.ts";
import type { VoucherHasher } from "./voucherHash.ts";

/** A voucher of a channel without a `payerAuthorizer`. */
export interface PayerQuestion {
  readonly payment: PaymentRequest;
  readonly terms: ChannelConfig;
}

export interface PayerSignatureOptions {
  readonly client: Pick<ChainReader, "call" | "getCode">;
  readonly view: Pick<ChainView, "status">;
  readonly clock: Clock;
  readonly recovery: Recovery;
  readonly hasher: VoucherHasher;
  readonly settlement: Address;
  /** Who claims. */
  readonly operator: Address;
  /** The vouchers of those payments that are booked, by `channelId:key`: they were checked then, and are not checked again. */
  readonly booked: (
    payments: readonly PaymentRequest[],
  ) => Promise<ReadonlyMap<string, { cumulative: bigint; signature: Uint8Array }>>;
}

type Verdict = BursarError | null;

/**
 * Vouchers that the payer signs itself: channels without a `payerAuthorizer`. The signature of an account without code is
 * checked by its key. For one with code — a contract wallet (ERC-1271), or an account that delegates to one and has session
 * keys (EIP-7702) — the settlement contract is asked whether it would take the claim of this very voucher now. Both answers
 * hold while the chain's head stands, for the code may change with every block.
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
  async check(questions: readonly PayerQuestion[]): Promise<(Uint8Array | BursarError)[]> {
    if (questions.length === 0) return [];
    const booked = await this.#options.booked(questions.map(({ payment }) => payment));
    const bookedSignature = ({ channelId, key, maxClaimableAmount, signature }: PaymentRequest) => {
      const voucher = booked.get(`${channelId}:${key}`);
      const isSame =
        voucher?.cumulative === maxClaimableAmount &&
        signatureForms(signature).some((form) => Buffer.compare(form, voucher.signature) === 0);
      return isSame ? voucher.signature : null;
    };
    return Promise.all(
      questions.map((question) => bookedSignature(question.payment) ?? this.#checkOne(question)),
    );
  }

  async #checkOne(question: PayerQuestion): Promise<Uint8Array | BursarError> {
    const { payer, receiverAuthorizer } = question.terms;
    const { channelId, maxClaimableAmount, signature } = question.payment;
    if (receiverAuthorizer.toLowerCase() !== this.#options.operator.toLowerCase())
      return claimedByOther(channelId, receiverAuthorizer);
    try {
      const hasCode = await this.#hasCode.get(payer, () => this.#readCode(payer));
      if (!hasCode) return await this.#checkKey(question);
      const verdict = await this.#verdicts.get(`${channelId}:${maxClaimableAmount}:${signature}`, () =>
        this.#askContract(question),
      );
      return verdict ?? hexToBytes(signature);
    } catch (cause) {
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
    const { client, settlement, operator } = this.#options;
    const at = { settlement, operator, gas: claimGasMax };
    const voucher = { channelId, config: terms, maxClaimableAmount, signature };
    const verdict = await simulateClaim(client, at, voucher);
    if (!verdict.isTaken) return refusal(verdict.error, payment, terms);
    return verdict.claimed >= maxClaimableAmount ? stale(payment, verdict.claimed) : null;
  }
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
      return forged(payment, terms.payer, null);
  }
}

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

function forged(payment: PaymentRequest, payer: Address, recovered: Address | null): BursarError {
  return new BursarError(
    "VOUCHER_FORGED",
    `the voucher is not signed by ${payer} for this channel, amount and chain`,
    {
      facts: { channelId: payment.channelId, signer: payer, recovered },
      fields: [
        {
          field: "signature",
          message: "must be the payer's EIP-712 signature of this voucher, or one that its code accepts",
          value: payment.signature.slice(0, 200),
        },
      ],
    },
  );
}
