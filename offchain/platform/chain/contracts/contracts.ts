import type { Address } from "viem";
import { addresses as deployed } from "#addresses";
import { BursarError } from "#offchain/core/error.ts";

type Deployed = (typeof deployed)[keyof typeof deployed];

/** What two contracts are called here, for what they are rather than how they are built. */
const shortNames = { TestUSDC: "usdc", Erc3009DepositCollector: "depositCollector" } as const;

type NameOf<Contract extends string> = Contract extends keyof typeof shortNames
  ? (typeof shortNames)[Contract]
  : Uncapitalize<Contract>;

/** Where the contracts that are deployed stand on one chain: `Clearing` as `clearing`. */
export type Contracts = { readonly [Contract in keyof Deployed & string as NameOf<Contract>]: Address };

const nameOf = (contract: string): string =>
  (shortNames as Readonly<Record<string, string>>)[contract] ??
  `${contract.slice(0, 1).toLowerCase()}${contract.slice(1)}`;

/** @throws BursarError NETWORK_MISMATCH: nothing is deployed on that chain, as far as this build knows */
export function contractsOn(chainId: number): Contracts {
  const known = Object.entries(deployed).find(([id]) => Number(id) === chainId)?.[1];
  if (!known)
    throw new BursarError(
      "NETWORK_MISMATCH",
      `no contracts are known on chain ${chainId}: only ${Object.keys(deployed).join(" and ")} are supported today`,
      { facts: { chainId } },
    );
  const named = Object.entries(known).map(([contract, address]) => [nameOf(contract), address]);
  return Object.fromEntries(named) as Contracts;
}
