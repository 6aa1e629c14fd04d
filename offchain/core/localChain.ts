import { defineChain } from "viem";
import { nativeCoinOf } from "./unit.ts";

/** A local development chain, for viem's clients. `viem/chains` has one too, and loads several hundred others with it. */
export const localChain = (id: number) =>
  defineChain({
    id,
    name: `local chain ${id}`,
    nativeCurrency: nativeCoinOf(id),
    rpcUrls: { default: { http: ["http://127.0.0.1:8545"] } },
  });

/** Hardhat's own chain id. */
export const hardhat = localChain(31_337);
