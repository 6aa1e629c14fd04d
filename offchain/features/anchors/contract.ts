import { type Address, encodeFunctionData, type Hex, type PublicClient } from "viem";
import { receiptAnchorAbi } from "#contracts";

/** `ReceiptAnchor.Kind.Ledger`. */
export const ledgerKind = 2;

/** The call that anchors the root of an epoch; refused when that epoch is not the next. */
export const anchorCall = (epoch: bigint, root: Hex, count: number): Hex =>
  encodeFunctionData({
    abi: receiptAnchorAbi,
    functionName: "anchor",
    args: [ledgerKind, epoch, root, BigInt(count)],
  });

/** What the chain has anchored of ledgers, by epoch. */
export async function readAnchors(
  reader: Pick<PublicClient, "readContract" | "multicall">,
  address: Address,
  multicallAddress: Address,
): Promise<{ root: Hex; count: number }[]> {
  const contract = { address, abi: receiptAnchorAbi } as const;
  const epochs = await reader.readContract({
    ...contract,
    functionName: "epochCount",
    args: [ledgerKind],
  });
  const anchors = await reader.multicall({
    allowFailure: false,
    multicallAddress,
    contracts: Array.from({ length: Number(epochs) }, (_, epoch) => ({
      ...contract,
      functionName: "anchorOf" as const,
      args: [ledgerKind, BigInt(epoch)] as const,
    })),
  });
  return anchors.map(({ root, count }) => ({ root, count: Number(count) }));
}
