import { defineChain } from "viem";
import { createConfig, http } from "wagmi";
import { coinOf } from "#offchain/core/unit.ts";
import { chainName, localChainId, type WebConfig } from "./config.ts";
import { devWallet } from "./devWallet.ts";

/** The one chain that this dashboard speaks to; a wallet elsewhere is asked to switch. */
export const createChain = ({ chainId, nativeCoin, rpcUrl, explorerUrl }: WebConfig) =>
  defineChain({
    id: chainId,
    name: chainId === localChainId ? "Local development chain" : chainName(chainId),
    nativeCurrency: coinOf(nativeCoin),
    rpcUrls: { default: { http: [rpcUrl] } },
    ...(explorerUrl && { blockExplorers: { default: { name: "Explorer", url: explorerUrl } } }),
  });

/** Wallets announce themselves (EIP-6963); only the development wallet is built in, and only where it is allowed. */
export function createWalletConfig(config: WebConfig) {
  const chain = createChain(config);
  return createConfig({
    chains: [chain],
    connectors: config.devWallet ? [devWallet(config.rpcUrl)] : [],
    transports: { [chain.id]: http(config.rpcUrl) },
    multiInjectedProviderDiscovery: true,
    pollingInterval: 1_000,
    ssr: true,
  });
}
