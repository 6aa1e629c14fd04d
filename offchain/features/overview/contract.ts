import { type Address, erc20Abi, multicall3Abi } from "viem";
import { type ChainReader, multicall3 } from "#offchain/platform/chain/client/client.ts";

/** Base units. */
export interface OnChain {
  usdc: bigint;
  native: bigint;
}

/** What addresses hold on the chain, in order: one call, however many they are. */
export async function holdingsOnChain(
  client: Pick<ChainReader, "multicall">,
  usdc: Address,
  addresses: readonly Address[],
): Promise<OnChain[]> {
  if (addresses.length === 0) return [];
  const amounts = await client.multicall({
    allowFailure: false,
    // All in one call.
    batchSize: 0,
    contracts: addresses.flatMap(
      (address) =>
        [
          { address: usdc, abi: erc20Abi, functionName: "balanceOf", args: [address] },
          { address: multicall3, abi: multicall3Abi, functionName: "getEthBalance", args: [address] },
        ] as const,
    ),
  });
  return addresses.map((_, at) => ({ usdc: amounts[2 * at] ?? 0n, native: amounts[2 * at + 1] ?? 0n }));
}
