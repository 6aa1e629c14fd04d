"use client";
import { useQuery } from "@tanstack/react-query";
import { treasuryQuery } from "@/lib/queries.ts";
import { useService, useWebConfig } from "@/lib/session.tsx";

/** The Treasury's address and chain, from the configuration or else the service. */
export function useTreasury(): { chainId: number; address: string } | null {
  const config = useWebConfig();
  const { data } = useQuery(treasuryQuery(useService()));
  const address = config.treasury ?? data?.address;
  return address ? { chainId: config.chainId, address } : null;
}
