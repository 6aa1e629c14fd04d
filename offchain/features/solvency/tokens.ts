import { getAddress } from "viem";
import type { Contracts } from "#offchain/platform/chain/contracts.ts";
import type { SolvencyToken } from "./contract.ts";

/** Units with a form on the chain, and who holds it for those whom the ledger owes; nobody counts twice. */
export function solvencyTokens(contracts: Contracts, addresses: readonly string[]): SolvencyToken[] {
  const ours = [
    { name: "Payment channels", address: contracts.batchSettlement },
    { name: "Clearing", address: contracts.clearing },
  ];
  const reserves = [...new Set(addresses.map((address) => getAddress(address)))]
    .filter((address) => ours.every((holder) => holder.address !== address))
    .map((address) => ({ name: "Reserve", address }));
  return [
    { unit: "USDC", token: contracts.usdc, holders: [...ours, ...reserves] },
    { unit: "AVT", token: contracts.agentToken, holders: reserves },
    { unit: "SCRIP", token: contracts.scrip, holders: reserves },
  ];
}
