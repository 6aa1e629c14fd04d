import { isAddress } from "viem";
import type { Agents } from "#offchain/features/agents/service.ts";
import type { Names } from "./words.ts";

/** Has something written with names: whose names it takes is found out by writing it once without any. */
export type Named = <Written>(write: (nameOf: Names) => Written) => Promise<Written>;

/** @param labels names of addresses that are no agents, by lower-case address */
export function openNaming(agents: Pick<Agents, "names">, labels: ReadonlyMap<string, string>): Named {
  return async (write) => {
    const asked = new Set<string>();
    write((address) => {
      if (isAddress(address, { strict: false })) asked.add(address.toLowerCase());
      return address;
    });
    const names = await agents.names([...asked]);
    return write(
      (address) => names.get(address.toLowerCase()) ?? labels.get(address.toLowerCase()) ?? address,
    );
  };
}
