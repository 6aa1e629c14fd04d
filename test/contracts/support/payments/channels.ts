import {
  type Account,
  type Address,
  concat,
  type Hex,
  hashTypedData,
  type LocalAccount,
  numberToHex,
  parseSignature,
  serializeCompactSignature,
  signatureToCompactSignature,
  zeroHash,
} from "viem";
import { BATCH_SETTLEMENT_ADDRESS } from "../../../../scripts/canonical.ts";

export interface ChannelConfig {
  payer: Address;
  payerAuthorizer: Address;
  receiver: Address;
  receiverAuthorizer: Address;
  token: Address;
  withdrawDelay: number;
  salt: Hex;
}

/** EIP-712 types of the scheme, from its specification. */
export const TYPES = {
  ChannelConfig: [
    { name: "payer", type: "address" },
    { name: "payerAuthorizer", type: "address" },
    { name: "receiver", type: "address" },
    { name: "receiverAuthorizer", type: "address" },
    { name: "token", type: "address" },
    { name: "withdrawDelay", type: "uint40" },
    { name: "salt", type: "bytes32" },
  ],
  Voucher: [
    { name: "channelId", type: "bytes32" },
    { name: "maxClaimableAmount", type: "uint128" },
  ],
  Refund: [
    { name: "channelId", type: "bytes32" },
    { name: "nonce", type: "uint256" },
    { name: "amount", type: "uint128" },
  ],
  ClaimBatch: [{ name: "claims", type: "ClaimEntry[]" }],
  ClaimEntry: [
    { name: "channelId", type: "bytes32" },
    { name: "maxClaimableAmount", type: "uint128" },
    { name: "totalClaimed", type: "uint128" },
  ],
} as const;

export function settlementDomain(chainId: number, verifyingContract: Address = BATCH_SETTLEMENT_ADDRESS) {
  return { name: "x402 Batch Settlement", version: "1", chainId, verifyingContract } as const;
}

export function channelId(config: ChannelConfig, chainId: number): Hex {
  const domain = settlementDomain(chainId);
  return hashTypedData({ domain, types: TYPES, primaryType: "ChannelConfig", message: config });
}

export function makeConfig(
  parties: Pick<ChannelConfig, "payer" | "receiver" | "token"> & Partial<ChannelConfig>,
): ChannelConfig {
  return {
    payerAuthorizer: parties.payer,
    receiverAuthorizer: parties.receiver,
    withdrawDelay: 900,
    salt: zeroHash,
    ...parties,
  };
}

export function signVoucher(signer: LocalAccount, id: Hex, maxClaimableAmount: bigint, chainId: number) {
  const domain = settlementDomain(chainId);
  const message = { channelId: id, maxClaimableAmount };
  return signer.signTypedData({ domain, types: TYPES, primaryType: "Voucher", message });
}

export interface PackedRow {
  channelId: Hex;
  maxClaimableAmount: bigint;
  signature: Hex;
}

/** The calldata of `claimPacked`: header receiver, authorizer, token; rows channelId, r, vs, uint96 amount. */
export function packRows(
  header: Pick<ChannelConfig, "receiver" | "receiverAuthorizer" | "token">,
  rows: readonly PackedRow[],
): Hex {
  return concat([
    header.receiver,
    header.receiverAuthorizer,
    header.token,
    ...rows.flatMap((row) => [
      row.channelId,
      serializeCompactSignature(signatureToCompactSignature(parseSignature(row.signature))),
      numberToHex(row.maxClaimableAmount, { size: 12 }),
    ]),
  ]);
}

/** An account that can sign here, without a node. */
export function isLocal(account: Account): account is LocalAccount {
  return account.type === "local";
}
