import {
  concatBytes,
  encodeAbiParameters,
  hexToBytes,
  keccak256,
  numberToBytes,
  stringToBytes,
  toBytes,
} from "viem";
import type { ChannelConfig } from "#offchain/actions/micropayments/port.ts";

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
const domainTypeHash = hashOf(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);
const configTypeHash = hashOf(
  "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)",
);
const voucherTypeHash = keccak256(
  stringToBytes("Voucher(bytes32 channelId,uint128 maxClaimableAmount)"),
  "bytes",
);
const prefix = new Uint8Array([0x19, 0x01]);

/** @param chainId EIP-155 id. @param settlement The BatchSettlement contract. */
export function voucherHasher(chainId: number, settlement: `0x${string}`): VoucherHasher {
  const domainSeparator = keccak256(
    encodeAbiParameters(
      [
        { type: "bytes32" },
        { type: "bytes32" },
        { type: "bytes32" },
        { type: "uint256" },
        { type: "address" },
      ],
      [domainTypeHash, hashOf("x402 Batch Settlement"), hashOf("1"), BigInt(chainId), settlement],
    ),
    "bytes",
  );
  const digest = (structHash: Uint8Array) =>
    keccak256(concatBytes([prefix, domainSeparator, structHash]), "bytes");
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
          configTypeHash,
          config.payer,
          config.payerAuthorizer,
          config.receiver,
          config.receiverAuthorizer,
          config.token,
          config.withdrawDelay,
          config.salt,
        ],
      );
      return `0x${Buffer.from(digest(keccak256(encoded, "bytes"))).toString("hex")}`;
    },
    voucherDigest: (channelId, maxClaimableAmount) =>
      digest(
        keccak256(
          concatBytes([
            voucherTypeHash,
            hexToBytes(channelId),
            numberToBytes(maxClaimableAmount, { size: 32 }),
          ]),
          "bytes",
        ),
      ),
  };
}

/** A signature as r ‖ vs (ERC-2098), the form of packed claims. Takes 65 or 64 bytes. */
export function compactSignature(signature: `0x${string}`): Uint8Array {
  const given = toBytes(signature);
  if (given.length === 64) return given;
  const compact = given.slice(0, 64);
  const v = given[64] ?? 27;
  if (v === 28 || v === 1) compact[32] = (compact[32] ?? 0) | 0x80;
  return compact;
}
