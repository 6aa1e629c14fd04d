import {
  type Address,
  concat,
  encodeAbiParameters,
  type Hex,
  hashTypedData,
  keccak256,
  type LocalAccount,
  numberToHex,
  pad,
  parseAbiParameters,
  parseSignature,
  serializeCompactSignature,
  signatureToCompactSignature,
  zeroHash,
} from "viem";
import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
} from "../../../../scripts/contracts/canonical.ts";

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

/** Where a channel's record stands in BatchSettlement's storage, for access lists. */
export function recordSlot(config: ChannelConfig, id: Hex): Hex {
  const parties = keccak256(concat([config.receiver, config.receiverAuthorizer, config.token]));
  return keccak256(concat([parties, pad(config.payerAuthorizer), id]));
}

/** The data for the ERC-3009 collector: the payer's authorisation of one deposit into one channel. */
export async function signDeposit(
  payer: LocalAccount,
  config: ChannelConfig,
  amount: bigint,
  salt: bigint,
  chainId: number,
): Promise<Hex> {
  const id = channelId(config, chainId);
  const validBefore = 2n ** 40n;
  const signature = await payer.signTypedData({
    domain: { name: "USD Coin", version: "2", chainId, verifyingContract: config.token },
    types: {
      ReceiveWithAuthorization: [
        { name: "from", type: "address" },
        { name: "to", type: "address" },
        { name: "value", type: "uint256" },
        { name: "validAfter", type: "uint256" },
        { name: "validBefore", type: "uint256" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "ReceiveWithAuthorization",
    message: {
      from: config.payer,
      to: ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
      value: amount,
      validAfter: 0n,
      validBefore,
      nonce: keccak256(concat([id, numberToHex(salt, { size: 32 })])),
    },
  });
  return encodeAbiParameters(parseAbiParameters("uint256, uint256, uint256, bytes"), [
    0n,
    validBefore,
    salt,
    signature,
  ]);
}
