import {
  compactSignatureToSignature,
  encodeAbiParameters,
  hashTypedData,
  isAddressEqual,
  keccak256,
  type LocalAccount,
  parseCompactSignature,
  recoverTypedDataAddress,
  serializeSignature,
  size,
} from "viem";
import type { z } from "zod";
import type { UnitCode } from "#offchain/core/unit.ts";
import {
  channelTypes,
  depositTypes,
  settlementDomain,
  voucherTypes,
} from "#offchain/features/payments/messages.ts";
import type { channelConfig, depositAuthorization } from "#offchain/features/payments/schema.ts";

/** Where x402's `batch-settlement` scheme stands on every chain (npm `@x402/evm` 2.27.0). */
export const batchSettlementAddress = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
export const depositCollectorAddress = "0x4020806089470a89826cB9fB1f4059150b550004";

/** A channel's fixed terms; its EIP-712 digest is the channel's id. */
export type ChannelTerms = z.output<typeof channelConfig>;
/** A deposit as it is sent to the service. */
export type SignedDeposit = z.input<typeof depositAuthorization>;
/** What of an account signs. */
export type Signer = Pick<LocalAccount, "address" | "signTypedData">;

/** The EIP-712 domain of an ERC-3009 token; Circle's USDC and the local TestUSDC: name "USD Coin", version "2". */
export interface TokenDomain {
  address: `0x${string}`;
  name: string;
  version: string;
}

/**
 * A token that the service takes channels in, and the unit in which it counts there. For the service to relay a deposit
 * the token must take ERC-3009 authorizations with a signature in one piece, as Circle's USDC and EURC do.
 */
export interface PayingToken extends TokenDomain {
  unit: UnitCode;
}

export const channelId = (terms: ChannelTerms, chainId: number): `0x${string}` =>
  hashTypedData({
    domain: settlementDomain(chainId, batchSettlementAddress),
    types: channelTypes,
    primaryType: "ChannelConfig",
    message: terms,
  });

/** Signs that the channel's receiver may have `maxClaimableAmount` base units in all: every earlier payment and this one. */
export const signVoucher = (
  signer: Signer,
  chainId: number,
  voucher: { channelId: `0x${string}`; maxClaimableAmount: bigint },
): Promise<`0x${string}`> =>
  signer.signTypedData({
    domain: settlementDomain(chainId, batchSettlementAddress),
    types: voucherTypes,
    primaryType: "Voucher",
    message: voucher,
  });

/** Whether this account's key has signed the voucher; the signature has 65 bytes, or 64 as the service keeps it (ERC-2098). */
export async function voucherIsBy(
  account: `0x${string}`,
  chainId: number,
  voucher: { channelId: `0x${string}`; maxClaimableAmount: bigint },
  signature: string | null,
): Promise<boolean> {
  const domain = settlementDomain(chainId, batchSettlementAddress);
  const signed = { domain, types: voucherTypes, primaryType: "Voucher", message: voucher } as const;
  try {
    const written = (signature ?? "0x") as `0x${string}`;
    const whole =
      size(written) === 64
        ? serializeSignature(compactSignatureToSignature(parseCompactSignature(written)))
        : written;
    return isAddressEqual(await recoverTypedDataAddress({ ...signed, signature: whole }), account);
  } catch {
    return false;
  }
}

/** Times are epoch seconds, as the token reads them; `salt` makes each deposit of a channel another. */
export interface DepositRequest {
  channelId: `0x${string}`;
  /** Base units. */
  amount: bigint;
  validAfter: bigint;
  validBefore: bigint;
  salt: bigint;
}

/** Signs a deposit: ERC-3009 to the scheme's collector, bound to this one channel by its nonce. */
export async function signDeposit(
  signer: Signer,
  chainId: number,
  token: TokenDomain,
  { channelId: id, amount, validAfter, validBefore, salt }: DepositRequest,
): Promise<SignedDeposit> {
  const nonce = keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "uint256" }], [id, salt]));
  const signature = await signer.signTypedData({
    domain: { name: token.name, version: token.version, chainId, verifyingContract: token.address },
    types: depositTypes,
    primaryType: "ReceiveWithAuthorization",
    message: {
      from: signer.address,
      to: depositCollectorAddress,
      value: amount,
      validAfter,
      validBefore,
      nonce,
    },
  });
  const [written, after, before] = [amount, validAfter, validBefore].map(String) as [string, string, string];
  return { amount: written, validAfter: after, validBefore: before, salt: salt.toString(), signature };
}
