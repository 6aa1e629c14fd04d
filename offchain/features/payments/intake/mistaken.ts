import type { Address, Hex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { PaymentRequest } from "../service.ts";
import { type VoucherHasher, voucherHasher } from "./voucherHash.ts";

/** Chains that an agent's software may have been set to by mistake: Ethereum, Base, Arc and their test networks, local. */
const commonChainIds = [1, 8453, 5042, 11_155_111, 84_532, 5_042_002, 1337, 31_337, 31_338];
/** A refused voucher costs at most this many further recoveries. */
const otherChannelsMax = 16;

/** The diagnosis of a voucher that its payer did sign, but for another chain or another of its channels. */
export class MistakenVouchers {
  readonly #chainId: number;
  readonly #hasher: VoucherHasher;
  readonly #others: readonly { chainId: number; hasher: VoucherHasher }[];

  /** @param settlement the BatchSettlement contract, the same on every chain */
  constructor(chainId: number, settlement: Address, hasher: VoucherHasher) {
    this.#chainId = chainId;
    this.#hasher = hasher;
    this.#others = commonChainIds
      .filter((other) => other !== chainId)
      .map((other) => ({ chainId: other, hasher: voucherHasher(other, settlement) }));
  }

  /**
   * @param channelsOfSigner the ids of all known channels of that signer
   * @returns NETWORK_MISMATCH or CHANNEL_MISMATCH; null when the signer signed nothing of the kind
   */
  explain(
    payment: PaymentRequest,
    signer: Address,
    channelsOfSigner: () => Iterable<string>,
  ): BursarError | null {
    const { channelId, maxClaimableAmount, signature } = payment;
    const fits = (digest: Uint8Array) => recoverAddress(hexOf(digest), signature) === signer;
    const chain = this.#others.find(({ hasher }) =>
      fits(hasher.voucherDigest(channelId, maxClaimableAmount)),
    );
    if (chain) return this.#otherChain(payment, chain.chainId);
    const channel = [...channelsOfSigner()]
      .filter((id) => id !== channelId)
      .slice(0, otherChannelsMax)
      .find((id) => fits(this.#hasher.voucherDigest(id as Hex, maxClaimableAmount)));
    return channel === undefined ? null : otherChannel(payment, channel);
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
