import { type Address, formatUnits, getAddress, zeroAddress } from "viem";
import type { KnownContracts } from "./known.ts";

/** The coin that a chain's gas is paid in. */
export interface NativeCoin {
  readonly symbol: string;
  readonly decimals: number;
}

/** What amounts of a token are written in. */
export interface TokenUnit {
  /** The zero address: the native coin. */
  readonly token: Address;
  /** Its symbol; of a token that is not known, `base units of 0x…`. */
  readonly unit: string;
  /** 0 for a token that is not known. */
  readonly decimals: number;
  /** Whether the service is configured with the token: a contract's own word about its symbol counts for nothing. */
  readonly known: boolean;
}

/** An amount with the unit that belongs to it, and to nothing else. */
export interface TokenAmount {
  readonly amount: string;
  readonly unit: string;
  readonly token: Address;
  readonly known: boolean;
}

/** How the amounts of any token on one chain are written. */
export interface Tokens {
  unitOf(token: string): TokenUnit;
  /** @param base base units */
  amountOf(token: string, base: bigint): TokenAmount;
}

export function openTokens(contracts: KnownContracts, coin: NativeCoin): Tokens {
  function unitOf(address: string): TokenUnit {
    const token = getAddress(address);
    if (token === zeroAddress) return { token, unit: coin.symbol, decimals: coin.decimals, known: true };
    const known = contracts.get(token.toLowerCase())?.token;
    if (known) return { token, unit: known.symbol, decimals: known.decimals, known: true };
    return { token, unit: `base units of ${token}`, decimals: 0, known: false };
  }
  return {
    unitOf,
    amountOf(address, base) {
      const { token, unit, decimals, known } = unitOf(address);
      return { amount: formatUnits(base, decimals), unit, token, known };
    },
  };
}
