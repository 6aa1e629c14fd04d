import type { Abi } from "viem";
import type { Contracts } from "./contracts.ts";

/** A contract whose calls, events and errors can be read. */
export interface KnownContract {
  readonly name: string;
  readonly abi: Abi;
  /** For tokens: how amounts are written. */
  readonly token?: { readonly symbol: string; readonly decimals: number };
}

/** A contract that a feature works with, on whichever chain. */
export interface DeclaredContract extends KnownContract {
  /** Its name among the chain's addresses. */
  readonly address: keyof Contracts;
}

/** By lower-case address. */
export type KnownContracts = ReadonlyMap<string, KnownContract>;

/** The contracts that features declare, so that people read words instead of bytes. */
export const knownContracts = (
  declared: readonly DeclaredContract[],
  addresses: Contracts,
): Map<string, KnownContract> =>
  new Map(declared.map(({ address, ...contract }) => [addresses[address].toLowerCase(), contract]));

/** By contract name: whose errors a revert may carry. */
export const abisOf = (declared: readonly DeclaredContract[]): Record<string, Abi> =>
  Object.fromEntries(declared.map(({ name, abi }) => [name, abi]));
