import type { Address } from "viem";
import { addresses as deployed } from "#addresses";
import { BursarError } from "#offchain/core/error.ts";

/** Where Bursar's contracts stand on one chain. */
export type Contracts = Readonly<
  Record<
    | "treasury"
    | "treasuryFactory"
    | "usdc"
    | "batchSettlement"
    | "depositCollector"
    | "clearing"
    | "staking"
    | "parameterRegistry"
    | "agentToken"
    | "scrip",
    Address
  >
>;

/** @throws BursarError NETWORK_MISMATCH: nothing is deployed on that chain, as far as this build knows */
export function contractsOn(chainId: number): Contracts {
  const known = Object.entries(deployed).find(([id]) => Number(id) === chainId)?.[1];
  if (!known)
    throw new BursarError(
      "NETWORK_MISMATCH",
      `no contracts are known on chain ${chainId}: deploy them and add their addresses`,
      { facts: { chainId } },
    );
  return {
    treasury: known.Treasury,
    treasuryFactory: known.TreasuryFactory,
    usdc: known.TestUSDC,
    batchSettlement: known.BatchSettlement,
    depositCollector: known.Erc3009DepositCollector,
    clearing: known.Clearing,
    staking: known.Staking,
    parameterRegistry: known.ParameterRegistry,
    agentToken: known.AgentToken,
    scrip: known.Scrip,
  };
}
