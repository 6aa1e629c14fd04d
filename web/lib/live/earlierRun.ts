"use client";
import { useQuery } from "@tanstack/react-query";
import { useConfig } from "wagmi";
import { getBlock } from "wagmi/actions";
import { useWebConfig } from "../session.tsx";

/**
 * Whether something is of a chain that is gone: from before the first block of the chain as it is now. A chain that is
 * restarted begins anew; of one that never was, nothing here is older than its beginning.
 * @param genesisAt epoch ms; undefined while the chain has not said it
 */
export const isOfEarlierRun = (at: number, genesisAt: number | undefined): boolean =>
  genesisAt !== undefined && at < genesisAt;

/** What stands in the place of a state that was true only on the chain that is gone. */
export const goneBadge = { word: "On a chain that is gone; written off", tone: "bad" } as const;

const askAgainEveryMs = 5_000;

/** The same question with the chain's own answer; asked anew when the service sees another run. */
export function useIsOfEarlierRun(): (at: number) => boolean {
  const config = useConfig();
  const { chainId } = useWebConfig();
  const { data } = useQuery({
    queryKey: ["genesis", chainId],
    queryFn: async () => Number((await getBlock(config, { chainId, blockNumber: 0n })).timestamp) * 1_000,
    staleTime: Number.POSITIVE_INFINITY,
    // A chain that is being restarted answers only after a while.
    refetchInterval: ({ state }) => (state.data === undefined ? askAgainEveryMs : false),
  });
  return (at) => isOfEarlierRun(at, data);
}
