import { type Address, erc20Abi } from "viem";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";

/** What an address holds on the chain, base units. */
export async function holdingsOnChain(
  client: ChainReader,
  usdc: Address,
  address: Address,
): Promise<{ usdc: bigint; native: bigint }> {
  const [tokens, native] = await Promise.all([
    client.readContract({ address: usdc, abi: erc20Abi, functionName: "balanceOf", args: [address] }),
    client.getBalance({ address }),
  ]);
  return { usdc: tokens, native };
}
