import {
  type Address,
  concatHex,
  decodeErrorResult,
  decodeFunctionResult,
  encodeAbiParameters,
  encodeFunctionData,
  erc20Abi,
  type Hex,
  isAddressEqual,
  numberToHex,
  zeroAddress,
} from "viem";
import { batchSettlementAbi, clearingAbi } from "#contracts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import { needsTooMuchGas, revertData } from "#offchain/platform/chain/contracts/revert.ts";
import { payeeOf } from "./rules/batch.ts";
import type { ChannelConfig, DepositAuthorization } from "./service.ts";

/** A voucher to claim in a batch; `isPayeeBlocked`: its payee cannot be paid now, so it is claimed without a payout. */
export interface BatchClaim {
  channelId: Hex;
  receiver: Address;
  receiverAuthorizer: Address;
  token: Address;
  maxClaimableAmount: bigint;
  /** ERC-2098 form. */
  signature: Hex;
  isPayeeBlocked?: boolean;
}

/**
 * Most gas that the claim of one channel may take, its payer's own check included: the operator pays for it. A check that
 * needs more is refused at the intake, and again when it is claimed, since it may say one thing here and another there.
 */
export const claimGasMax = 1_000_000n;
/** Most gas of a payout beside it. */
const payOutGasMax = 200_000n;

/** A voucher with its channel's terms, as the contract's `claim` takes it. */
export interface PayerVoucher {
  config: ChannelConfig;
  maxClaimableAmount: bigint;
  /** A key's: r, s, v in 65 bytes. */
  signature: Hex;
}

/** Opens a channel or tops it up. @param collector the scheme's ERC-3009 deposit collector */
export const depositCall = (config: ChannelConfig, deposit: DepositAuthorization, collector: Address): Hex =>
  encodeFunctionData({
    abi: batchSettlementAbi,
    functionName: "deposit",
    args: [config, deposit.amount, collector, collectorData(deposit)],
  });

/** What the ERC-3009 collector unpacks: (validAfter, validBefore, salt, signature). */
const collectorData = ({ validAfter, validBefore, salt, signature }: DepositAuthorization): Hex =>
  encodeAbiParameters(
    [{ type: "uint256" }, { type: "uint256" }, { type: "uint256" }, { type: "bytes" }],
    [validAfter, validBefore, salt, signature],
  );

/** Where vouchers are claimed: Clearing claims those of its own channels, and nobody else can. */
export interface ClaimAddresses {
  settlement: Address;
  clearing: Address;
}

/** A call, and of which contract. */
interface ClaimCall {
  to: Address;
  data: Hex;
}

/**
 * Claims and pays out a batch in one transaction: one packed claim for each receiver; who is held is not paid out. What
 * Clearing receives is paid over to it when it pays its payees.
 * @param vouchers of one receiver authorizer: see `nextPart`
 */
export function settlementCall(
  vouchers: readonly BatchClaim[],
  { settlement, clearing }: ClaimAddresses,
): ClaimCall {
  const calls = [...Map.groupBy(vouchers, payeeOf)].map(([header, rows]) => {
    const args = [concatHex([header, ...rows.flatMap(rowOf)])] as const;
    return isAddressEqual(rows[0]?.receiver ?? zeroAddress, clearing)
      ? {
          to: clearing,
          data: encodeFunctionData({ abi: clearingAbi, functionName: "claimPacked", args }),
        }
      : {
          to: settlement,
          data: encodeFunctionData({
            abi: batchSettlementAbi,
            functionName: rows.some(({ isPayeeBlocked }) => isPayeeBlocked)
              ? "claimPacked"
              : "claimPackedAndSettle",
            args,
          }),
        };
  });
  const [only] = calls;
  if (calls.length === 1 && only) return only;
  // One authorizer's channels have one receiver, Clearing, and Clearing lists one token: a batch of it is one call.
  if (calls.some(({ to }) => to !== settlement)) throw new Error("a batch claims at more than one contract");
  return { to: settlement, data: together(calls.map(({ data }) => data)) };
}

const rowOf = ({ channelId, signature, maxClaimableAmount }: BatchClaim): Hex[] => [
  channelId,
  signature,
  numberToHex(maxClaimableAmount, { size: 12 }),
];

/** Claims one channel by itself; if that is wanted, what its payee has earned is paid out with it. */
export function loneClaimCall(
  voucher: PayerVoucher,
  { settlement, clearing, isPaidOut }: ClaimAddresses & { isPaidOut: boolean },
): ClaimCall & { gasMax: bigint } {
  const { receiver, token } = voucher.config;
  if (isAddressEqual(receiver, clearing))
    return {
      to: clearing,
      data: encodeFunctionData({ abi: clearingAbi, functionName: "claim", args: [[rowOfClaim(voucher)]] }),
      gasMax: claimGasMax,
    };
  if (!isPaidOut) return { to: settlement, data: claimOf(voucher), gasMax: claimGasMax };
  return {
    to: settlement,
    data: together([claimOf(voucher), payOutCall(receiver, token)]),
    gasMax: claimGasMax + payOutGasMax,
  };
}

/** Pays out all that was claimed for a payee and has not been paid to it. */
export const payOutCall = (payee: Address, token: Address): Hex =>
  encodeFunctionData({ abi: batchSettlementAbi, functionName: "settle", args: [payee, token] });

const together = (calls: readonly Hex[]): Hex =>
  encodeFunctionData({ abi: batchSettlementAbi, functionName: "multicall", args: [calls] });

const claimOf = (voucher: PayerVoucher): Hex =>
  encodeFunctionData({ abi: batchSettlementAbi, functionName: "claim", args: [[rowOfClaim(voucher)]] });

const rowOfClaim = ({ config, maxClaimableAmount, signature }: PayerVoucher) => ({
  voucher: { channel: config, maxClaimableAmount },
  signature,
  totalClaimed: maxClaimableAmount,
});

/** Whether the contract would take a claim: what the channel has claimed, or the contract's error. */
export type ClaimVerdict =
  | { isTaken: true; claimed: bigint }
  /** Null: no error of the contract's own, e.g. because its caller ran out of gas. */
  | { isTaken: false; error: string | null };

/**
 * Simulates the claim of one voucher from where it will be made. In the same call the channel is read: a claim that moves
 * nothing is taken without a look at its signature, so it proves nothing.
 * @throws the provider's error when it says nothing about the claim
 */
export async function simulateClaim(
  reader: Pick<ChainReader, "call">,
  { settlement, operator, gas }: { settlement: Address; operator: Address; gas: bigint },
  voucher: PayerVoucher & { channelId: Hex },
): Promise<ClaimVerdict> {
  const channel = encodeFunctionData({
    abi: batchSettlementAbi,
    functionName: "channels",
    args: [voucher.channelId],
  });
  try {
    const { data = "0x" } = await reader.call({
      account: operator,
      to: settlement,
      data: together([channel, claimOf(voucher)]),
      gas,
      blockTag: "pending",
    });
    const [read = "0x"] = decodeFunctionResult({ abi: batchSettlementAbi, functionName: "multicall", data });
    const [, claimed] = decodeFunctionResult({
      abi: batchSettlementAbi,
      functionName: "channels",
      data: read,
    });
    return { isTaken: true, claimed };
  } catch (error) {
    const data = revertData(error);
    if (data !== null) return { isTaken: false, error: revertName(data) };
    // The check used up all gas: the claim would, too.
    if (needsTooMuchGas(error)) return { isTaken: false, error: null };
    throw error;
  }
}

/** What a token says of its decimals; null: nothing that a token says. @throws the provider's error when it does not answer */
export async function readDecimals(
  reader: Pick<ChainReader, "call">,
  token: Address,
): Promise<number | null> {
  try {
    const data = encodeFunctionData({ abi: erc20Abi, functionName: "decimals" });
    const { data: said = "0x" } = await reader.call({ to: token, data });
    return said.length === 66 && BigInt(said) <= 255n ? Number(BigInt(said)) : null;
  } catch (error) {
    if (revertData(error) !== null) return null;
    throw error;
  }
}

function revertName(data: Hex): string | null {
  try {
    return decodeErrorResult({ abi: batchSettlementAbi, data }).errorName;
  } catch {
    return null;
  }
}
