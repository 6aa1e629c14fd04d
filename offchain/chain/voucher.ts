import { encodeAbiParameters, hexToBytes, stringToBytes } from "viem";
import type { ChannelConfig } from "#offchain/actions/micropayments/port.ts";
import { keccak256 } from "#offchain/ports/keccak.ts";

/**
 * The EIP-712 hashes of x402's batch-settlement scheme, with everything constant hashed once.
 * Names and types as in the npm package `@x402/evm` 2.27.0.
 */
export interface VoucherHasher {
  /** A channel's id: the digest of its config. */
  channelId(config: ChannelConfig): `0x${string}`;
  /** What the payer's authorizer signs: `Voucher(bytes32 channelId,uint128 maxClaimableAmount)`. */
  voucherDigest(channelId: `0x${string}`, maxClaimableAmount: bigint): Uint8Array;
}

const hashOf = (text: string) => keccak256(stringToBytes(text));
const hexOf = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString("hex")}`;
const domainTypeHash = hashOf(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);
const configTypeHash = hashOf(
  "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)",
);
const voucherTypeHash = hashOf("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");

/** @param chainId EIP-155 id. @param settlement The BatchSettlement contract. */
export function voucherHasher(chainId: number, settlement: `0x${string}`): VoucherHasher {
  const domainSeparator = keccak256(
    hexToBytes(
      encodeAbiParameters(
        [
          { type: "bytes32" },
          { type: "bytes32" },
          { type: "bytes32" },
          { type: "uint256" },
          { type: "address" },
        ],
        [
          hexOf(domainTypeHash),
          hexOf(hashOf("x402 Batch Settlement")),
          hexOf(hashOf("1")),
          BigInt(chainId),
          settlement,
        ],
      ),
    ),
  );
  // Written over for each digest: 0x1901 ‖ domain ‖ struct hash, and type hash ‖ channel id ‖ amount.
  const outer = Buffer.concat([Uint8Array.of(0x19, 0x01), domainSeparator, new Uint8Array(32)]);
  const inner = Buffer.concat([voucherTypeHash, new Uint8Array(64)]);
  const digest = (structHash: Uint8Array) => {
    outer.set(structHash, 34);
    return keccak256(outer);
  };
  return {
    channelId(config) {
      const encoded = encodeAbiParameters(
        [
          { type: "bytes32" },
          { type: "address" },
          { type: "address" },
          { type: "address" },
          { type: "address" },
          { type: "address" },
          { type: "uint40" },
          { type: "bytes32" },
        ],
        [
          hexOf(configTypeHash),
          config.payer,
          config.payerAuthorizer,
          config.receiver,
          config.receiverAuthorizer,
          config.token,
          config.withdrawDelay,
          config.salt,
        ],
      );
      return hexOf(digest(keccak256(hexToBytes(encoded))));
    },
    voucherDigest(channelId, maxClaimableAmount) {
      inner.write(channelId.slice(2), 32, "hex");
      inner.write(maxClaimableAmount.toString(16).padStart(64, "0"), 64, "hex");
      return digest(keccak256(inner));
    },
  };
}

/** A signature (r, s, recovery id) as r ‖ vs (ERC-2098), the form of packed claims. */
export function compactSignature(signature: Uint8Array): Uint8Array {
  const compact = signature.slice(0, 64);
  if (signature[64] === 1) compact[32] = (compact[32] ?? 0) | 0x80;
  return compact;
}
