import { defineChain } from "viem";

/** A local development chain, for viem's clients. `viem/chains` has one too, and loads several hundred others with it. */
export const localChain = (id: number) =>
  defineChain({
    id,
    name: `local chain ${id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: ["http://127.0.0.1:8545"] } },
  });

/** Hardhat's own chain id. */
export const hardhat = localChain(31_337);
