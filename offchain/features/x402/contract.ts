import { type Abi, type Address, concat, encodeFunctionData, type Hex } from "viem";
import { batchSettlementAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import type { ChainReader } from "#offchain/platform/chain/client.ts";

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

export const tokenBalance = (client: ChainReader, token: Address, account: Address): Promise<bigint> =>
  client.readContract({ address: token, abi: testUsdcAbi, functionName: "balanceOf", args: [account] });

/** Whose spend a Treasury has recorded under a digest, and until when it holds, epoch seconds; 0: none. */
export const recordedAuthorization = (client: ChainReader, treasury: Address, digest: Hex) =>
  client.readContract({
    address: treasury,
    abi: treasuryAbi,
    functionName: "authorizationOf",
    args: [digest],
  });
