import type { Abi } from "viem";
import { batchSettlementAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import type { Contracts } from "./contracts.ts";

/** A contract whose calls and events can be read. */
export interface KnownContract {
  readonly name: string;
  readonly abi: Abi;
  /** For tokens: how amounts are written. */
  readonly token?: { readonly symbol: string; readonly decimals: number };
}

/** By lower-case address. */
export type KnownContracts = ReadonlyMap<string, KnownContract>;

/** Reads the Treasury at any address, also one that was followed later. */
export const knownTreasury: KnownContract = { name: "Treasury", abi: treasuryAbi as Abi };

/** The contracts that events and proposals name, so that people read words instead of bytes. */
export function knownContracts(
  addresses: Pick<Contracts, "treasury" | "usdc" | "batchSettlement">,
): Map<string, KnownContract> {
  return new Map<string, KnownContract>([
    [addresses.treasury.toLowerCase(), knownTreasury],
    [
      addresses.usdc.toLowerCase(),
      { name: "USDC", abi: testUsdcAbi as Abi, token: { symbol: "USDC", decimals: 6 } },
    ],
    [addresses.batchSettlement.toLowerCase(), { name: "BatchSettlement", abi: batchSettlementAbi as Abi }],
  ]);
}
