import {
  type Abi,
  type Address,
  type ContractFunctionArgs,
  concat,
  encodeFunctionData,
  getAbiItem,
  type Hex,
  isAddressEqual,
  parseAbi,
  parseEventLogs,
  zeroAddress,
} from "viem";
import { batchSettlementAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import { needsTooMuchGas, revertData } from "#offchain/platform/chain/contracts/revert.ts";

/** A contract's function with its arguments, as the official schemes name it. */
export interface ContractCall {
  readonly abi: readonly unknown[];
  readonly functionName: string;
  readonly args?: readonly unknown[];
  /** Bytes behind the arguments that the contract does not read. */
  readonly dataSuffix?: Hex;
}

export function calldataOf({ abi, functionName, args, dataSuffix }: ContractCall): Hex {
  const data = encodeFunctionData({ abi: abi as Abi, functionName, ...(args && { args }) });
  return dataSuffix ? concat([data, dataSuffix]) : data;
}

/** What the channels of a receiver have claimed and paid out so far. */
export const receiverSums = (
  client: ChainReader,
  batchSettlement: Address,
  { receiver, token }: { receiver: Address; token: Address },
): Promise<readonly bigint[]> =>
  client.readContract({
    address: batchSettlement,
    abi: batchSettlementAbi,
    functionName: "receivers",
    args: [receiver, token],
  });

/** A channel as the chain has it, base units: what its payer has put in and not taken back, and what of it was claimed. */
export async function channelOnChain(
  client: ChainReader,
  batchSettlement: Address,
  channelId: Hex,
): Promise<{ balance: bigint; totalClaimed: bigint }> {
  const [balance, totalClaimed] = await client.readContract({
    address: batchSettlement,
    abi: batchSettlementAbi,
    functionName: "channels",
    args: [channelId],
  });
  return { balance, totalClaimed };
}

/** A claim as BatchSettlement takes it. */
export type VoucherClaim = ContractFunctionArgs<typeof batchSettlementAbi, "nonpayable", "claim">[0][number];

/** Whether no key signs the channel's vouchers: then the payer's own account, which may be code, is asked whether it did. */
export const answersForItself = ({ payerAuthorizer }: { payerAuthorizer: Address }): boolean =>
  isAddressEqual(payerAuthorizer, zeroAddress);

/** Whether the contract would take this claim now from the receiver's side. @throws when the provider does not say */
export async function isClaimable(
  client: ChainReader,
  { batchSettlement, operator }: { batchSettlement: Address; operator: Address },
  claim: VoucherClaim,
): Promise<boolean> {
  try {
    await client.simulateContract({
      account: operator,
      address: batchSettlement,
      abi: batchSettlementAbi,
      functionName: "claim",
      args: [[claim]],
    });
    return true;
  } catch (error) {
    if (revertData(error) !== null || needsTooMuchGas(error)) return false;
    throw error;
  }
}

export const tokenBalance = (client: ChainReader, token: Address, account: Address): Promise<bigint> =>
  client.readContract({ address: token, abi: testUsdcAbi, functionName: "balanceOf", args: [account] });

/** What an ERC-3009 authorization moves, and its nonce. */
export interface AuthorizedTransfer {
  readonly from: Address;
  readonly to: Address;
  readonly value: bigint;
  readonly nonce: Hex;
}

/** Whether the authorization's nonce is used by now: by its transfer, by another one, or by a cancellation. */
export const isAuthorizationUsed = (
  client: ChainReader,
  token: Address,
  { from, nonce }: Pick<AuthorizedTransfer, "from" | "nonce">,
): Promise<boolean> =>
  client.readContract({
    address: token,
    abi: testUsdcAbi,
    functionName: "authorizationState",
    args: [from, nonce],
  });

/**
 * The transaction among these blocks whose use of the nonce moved exactly this; `other`: its use moved something else. The
 * transfer is the token's next log after the use, so that no transfer counts for two nonces of one transaction.
 */
export async function transferByNonce(
  client: Pick<ChainReader, "getLogs" | "getTransactionReceipt">,
  token: Address,
  { from, to, value, nonce }: AuthorizedTransfer,
  blocks: { fromBlock: bigint; toBlock: bigint },
): Promise<Hex | "other" | null> {
  const event = getAbiItem({ abi: testUsdcAbi, name: "AuthorizationUsed" });
  const [used] = await client.getLogs({
    address: token,
    event,
    args: { authorizer: from, nonce },
    ...blocks,
  });
  if (!used) return null;
  const { logs } = await client.getTransactionReceipt({ hash: used.transactionHash });
  const next = logs.filter(
    ({ address, logIndex }) => isAddressEqual(address, token) && logIndex === used.logIndex + 1,
  );
  const [moved] = parseEventLogs({ abi: testUsdcAbi, eventName: "Transfer", logs: next });
  const isThis =
    moved &&
    isAddressEqual(moved.args.from, from) &&
    isAddressEqual(moved.args.to, to) &&
    moved.args.value === value;
  return isThis ? used.transactionHash : "other";
}

/** Circle's FiatToken v2.2 asks it so; TestUSDC spells it otherwise. */
const blacklistAbi = parseAbi(["function isBlacklisted(address account) view returns (bool)"]);

/** Whether the token's issuer has blocked the account; a token that cannot be asked has blocked nobody. */
export async function isBlocked(client: ChainReader, token: Address, account: Address): Promise<boolean> {
  const asked = { address: token, args: [account] } as const;
  const answers = await Promise.allSettled([
    client.readContract({ ...asked, abi: blacklistAbi, functionName: "isBlacklisted" }),
    client.readContract({ ...asked, abi: testUsdcAbi, functionName: "isBlocklisted" }),
  ]);
  return answers.some((answer) => answer.status === "fulfilled" && answer.value);
}

/** Whose spend a Treasury has recorded under a digest, and until when it holds, epoch seconds; 0: none. */
export const recordedAuthorization = (client: ChainReader, treasury: Address, digest: Hex) =>
  client.readContract({
    address: treasury,
    abi: treasuryAbi,
    functionName: "authorizationOf",
    args: [digest],
  });
