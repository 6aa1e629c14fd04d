import { defineChain } from "viem";
import { coinOf } from "./unit.ts";

/** A local development chain, for viem's clients. `viem/chains` has one too, and loads several hundred others with it. */
export const localChain = (id: number) =>
  defineChain({
    id,
    name: `local chain ${id}`,
    nativeCurrency: coinOf(),
    rpcUrls: { default: { http: ["http://127.0.0.1:8545"] } },
  });

/** Chains of the development network: what is worth anything stands on no chain with such an id. Hardhat's own is the first. */
export const developmentChainIds = [31_337, 31_338] as const;

export const isDevelopmentChain = (id: number): boolean => developmentChainIds.some((known) => known === id);

/** Hardhat's own chain. */
export const hardhat = localChain(developmentChainIds[0]);
