"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { walletsQuery } from "./queries.ts";
import { useService } from "./session.tsx";

/** Names of known addresses, keyed in lower case. */
export function useNames(): ReadonlyMap<string, string> {
  const { data } = useQuery({ ...walletsQuery(useService()), staleTime: 30_000 });
  return useMemo(
    () => new Map((data?.items ?? []).map(({ address, name }) => [address.toLowerCase(), name])),
    [data],
  );
}

export const isSameAddress = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && one.toLowerCase() === other?.toLowerCase();
