import { getAddress, isAddress } from "viem";
import type { Agents } from "#offchain/features/agents/service.ts";
import type { Contracts } from "#offchain/platform/chain/contracts/contracts.ts";

/** What an address is called: at most one of the two. */
export interface Name {
  /** By the service itself, such as "the Escrow contract". */
  readonly own: string | null;
  /** By the agent behind the address: others may have chosen the same. */
  readonly chosen: string | null;
}

/** What addresses are called. */
export type Names = (address: string) => Name;

export const nameless: Name = { own: null, chosen: null };

/** Has something written with names: whose names it takes is found out by writing it once without any. */
export type Named = <Written>(write: (nameOf: Names) => Written) => Promise<Written>;

/** @param labels the service's own names, by lower-case address: they stand above what anybody chose for itself */
export function openNaming(agents: Pick<Agents, "names">, labels: ReadonlyMap<string, string>): Named {
  return async (write) => {
    const asked = new Set<string>();
    write((address) => {
      if (isAddress(address, { strict: false })) asked.add(address.toLowerCase());
      return nameless;
    });
    const names = await agents.names([...asked]);
    return write((address) => {
      const key = address.toLowerCase();
      const own = labels.get(key) ?? null;
      return { own, chosen: own === null ? (names.get(key) ?? null) : null };
    });
  };
}

/**
 * An address in a sentence that somebody signs. The address is always there, and in full: a name that an agent chose for
 * itself proves nothing, and both ends of an address can be found by trying. Such a name stands in quotation marks, which
 * it cannot have itself; the service's own names stand in none.
 */
export function partyInWords(address: string, { own, chosen }: Name): string {
  const full = isAddress(address, { strict: false }) ? getAddress(address) : address;
  if (own !== null) return `${own} (${full})`;
  return chosen === null ? full : `${quoted(chosen)} (${full}, self-chosen name)`;
}

/** Letters that run from right to left. */
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EEFF}]/u;

/** A name that runs from right to left is set apart, so that it does not reorder the address beside it (UAX #9, isolates). */
const quoted = (name: string): string => (rightToLeft.test(name) ? `"\u2068${name}\u2069"` : `"${name}"`);

/** What contracts are called beside "the … contract". */
const ownNames: Partial<Record<keyof Contracts, string>> = {
  treasury: "the Treasury",
  usdc: "the USDC contract",
  batchSettlement: "the payment channels",
};

/** The service's own names of addresses, by lower-case address: the contracts of one chain, and its operator. */
export const labelsOf = (contracts: Contracts, operator: string): Map<string, string> =>
  new Map([
    ...Object.entries(contracts).map(([key, address]): [string, string] => [
      address.toLowerCase(),
      ownNames[key as keyof Contracts] ?? `the ${key.slice(0, 1).toUpperCase()}${key.slice(1)} contract`,
    ]),
    [operator.toLowerCase(), "the operator"],
  ]);
