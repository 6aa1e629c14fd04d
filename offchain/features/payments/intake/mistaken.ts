import type { Address, Hex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { Recovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { addressOfKey, parseSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import type { PaymentRequest } from "../service.ts";
import { type VoucherHasher, voucherHasher } from "./voucherHash.ts";

/** Chains that an agent's software may have been set to by mistake: Ethereum, Base, Arc and their test networks, local. */
const commonChainIds = [1, 8453, 5042, 11_155_111, 84_532, 5_042_002, 1337, 31_337, 31_338];
/** Of the signer's other channels at most this many are tried, beside the chains. */
export const otherChannelsMax = 16;

/** The diagnosis of a voucher that its payer did sign, but for another chain or another of its channels. */
export class MistakenVouchers {
  readonly #chainId: number;
  readonly #hasher: VoucherHasher;
  readonly #recovery: Recovery;
  readonly #others: readonly { chainId: number; hasher: VoucherHasher }[];

  /** @param settlement the BatchSettlement contract, the same on every chain */
  constructor(chainId: number, settlement: Address, hasher: VoucherHasher, recovery: Recovery) {
    this.#chainId = chainId;
    this.#recovery = recovery;
    this.#hasher = hasher;
    this.#others = commonChainIds
      .filter((other) => other !== chainId)
      .map((other) => ({ chainId: other, hasher: voucherHasher(other, settlement) }));
  }

  /**
   * Costs as many recoveries as there are chains and channels to try, which is why a request has few explained.
   * @param channelsOfSigner the ids of known channels of that signer
   * @returns NETWORK_MISMATCH or CHANNEL_MISMATCH; null when the signer signed nothing of the kind
   */
  async explain(
    payment: PaymentRequest,
    signer: Address,
    channelsOfSigner: Iterable<string>,
  ): Promise<BursarError | null> {
    const { channelId, maxClaimableAmount } = payment;
    const signature = parseSignature(payment.signature);
    if (!signature) return null;
    const channels = [...channelsOfSigner].filter((id) => id !== channelId).slice(0, otherChannelsMax);
    const digests = [
      ...this.#others.map(({ hasher }) => hasher.voucherDigest(channelId, maxClaimableAmount)),
      ...channels.map((id) => this.#hasher.voucherDigest(id as Hex, maxClaimableAmount)),
    ];
    const keys = await this.#recovery.recover(digests.map((digest) => ({ digest, signature })));
    const at = keys.findIndex((key) => addressOfKey(key) === signer);
    if (at < 0) return null;
    const chain = this.#others[at];
    return chain
      ? this.#otherChain(payment, chain.chainId)
      : otherChannel(payment, channels[at - this.#others.length] as string);
  }

  #otherChain({ channelId, signature }: PaymentRequest, signedFor: number): BursarError {
    const chainId = this.#chainId;
    return new BursarError(
      "NETWORK_MISMATCH",
      `the voucher is signed for chain ${signedFor}, not ${chainId}`,
      {
        facts: { got: `eip155:${signedFor}`, wanted: `eip155:${chainId}`, channelId },
        fields: [{ field: "signature", message: `must be signed for chain ${chainId}`, value: signature }],
      },
    );
  }
}

const otherChannel = ({ channelId }: PaymentRequest, signedFor: string) =>
  new BursarError("CHANNEL_MISMATCH", `the voucher is signed for channel ${signedFor}`, {
    facts: { channelId, signedFor },
    fields: [
      {
        field: "channelId",
        message: "must be the channel that the voucher is signed for",
        value: channelId,
      },
    ],
  });
