"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Wallet } from "./model.ts";
import { walletsQuery } from "./queries.ts";
import { useService } from "./session.tsx";

/** Names of the accounts on the pages of wallets that are loaded, keyed in lower case. */
export function useNames(): ReadonlyMap<string, string> {
  const { data } = useInfiniteQuery({ ...walletsQuery(useService()), staleTime: 30_000 });
  return useMemo(() => namesOf(data?.pages.flatMap(({ items }) => items) ?? []), [data]);
}

/** A name that an agent chose for itself: quoted, for it proves nothing; the service's own names are not. */
export const quoted = (name: string): string => `"${name}"`;

/** Whether a name as it is shown is one of those: no name of the service's begins so, and no agent's can end a quotation. */
export const isSelfChosen = (shown: string): boolean => shown.startsWith('"');

/** An address that the service itself has a name for keeps that one, whatever its holder registered as. */
export const namesOf = (wallets: readonly Pick<Wallet, "address" | "name" | "kind">[]): Map<string, string> =>
  new Map(
    [...wallets]
      .sort((one, other) => Number(other.kind === "agent") - Number(one.kind === "agent"))
      .map(({ address, name, kind }) => [address.toLowerCase(), kind === "agent" ? quoted(name) : name]),
  );

export const isSameAddress = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && one.toLowerCase() === other?.toLowerCase();
