import { digestHasher, structHasher, typeText } from "#offchain/core/typedHash.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { channelTypes, settlementDomain, voucherTypes } from "../messages.ts";
import type { ChannelConfig } from "../service.ts";

/** The EIP-712 hashes of x402's batch-settlement scheme. */
export interface VoucherHasher {
  /** A channel's id: the digest of its config. */
  channelId(config: ChannelConfig): `0x${string}`;
  /** What the payer's authorizer signs. */
  voucherDigest(channelId: `0x${string}`, maxClaimableAmount: bigint): Uint8Array;
}

const configHash = structHasher(typeText(channelTypes, "ChannelConfig"));
const voucherHash = structHasher(typeText(voucherTypes, "Voucher"));

/** @param chainId EIP-155 id. @param settlement The BatchSettlement contract. */
export function voucherHasher(chainId: number, settlement: `0x${string}`): VoucherHasher {
  const digest = digestHasher(settlementDomain(chainId, settlement));
  return {
    channelId: (config) =>
      hexOf(
        digest(
          configHash(
            config.payer,
            config.payerAuthorizer,
            config.receiver,
            config.receiverAuthorizer,
            config.token,
            config.withdrawDelay,
            config.salt,
          ),
        ),
      ),
    voucherDigest: (channelId, maxClaimableAmount) => digest(voucherHash(channelId, maxClaimableAmount)),
  };
}

/** A signature (r, s, recovery id) as r ‖ vs (ERC-2098), the form of packed claims. */
export function compactSignature(signature: Uint8Array): Uint8Array {
  const compact = signature.slice(0, 64);
  if (signature[64] === 1) compact[32] = (compact[32] ?? 0) | 0x80;
  return compact;
}
