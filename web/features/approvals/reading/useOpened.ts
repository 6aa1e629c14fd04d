"use client";
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { getContractEvents } from "viem/actions";
import { type Config, useConfig } from "wagmi";
import { treasuryAbi } from "#contracts";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import type { Proposal } from "@/lib/model.ts";
import { refusals } from "../signing/words.ts";
import { proposalHashes, rejectionFault } from "../treasury.ts";
import { useTreasury } from "./useTreasury.ts";

/** Rejecting would use up a nonce that is not that of the proposal on the page. */
class RejectionDiffers extends Error {
  override readonly name = "RejectionDiffers";
}

/** Ids of the proposals that were opened with a nonce, in lower case: by the chain's own events, not by the service. */
const openedQuery = (
  config: Config,
  { chainId, address }: NonNullable<ReturnType<typeof useTreasury>>,
  nonce: string,
) =>
  queryOptions({
    queryKey: ["opened", chainId, address, nonce],
    staleTime: 30_000,
    refetchInterval: 30_000,
    // Not every node tells events of all blocks.
    retry: false,
    async queryFn(): Promise<string[]> {
      const events = await getContractEvents(config.getClient({ chainId }), {
        address: address as `0x${string}`,
        abi: treasuryAbi,
        eventName: "ProposalOpened",
        args: { nonce: BigInt(nonce) },
        fromBlock: 0n,
        strict: true,
      });
      return [...new Set(events.map(({ args }) => args.id.toLowerCase()))];
    },
  });

/** What rejecting a proposal ends beside it; null where the chain does not say, undefined while it is asked. */
export function useOthersOfNonce(
  { proposalId, nonce }: Pick<Proposal, "proposalId" | "nonce">,
  isAsked: boolean,
): readonly string[] | null | undefined {
  const config = useConfig();
  const treasury = useTreasury();
  const place = treasury ?? { chainId: 0, address: "" };
  const { data, error } = useQuery({
    ...openedQuery(config, place, nonce),
    enabled: isAsked && treasury !== null,
  });
  if (error || data?.length === 0) return null;
  return data?.filter((id) => id !== proposalId.toLowerCase());
}

/**
 * Refuses to reject where another proposal would end instead of the one that is shown. What the service says of its
 * calls is nobody's question here: a lie in words may be rejected.
 */
export function useRejectionCheck(): (proposal: Proposal) => Promise<void> {
  const queries = useQueryClient();
  const config = useConfig();
  const treasury = useTreasury();
  return async (proposal) => {
    if (!treasury) throw new Error(refusals.noTreasury);
    const { digest } = proposalHashes(typedProposal(proposal, treasury));
    const opened = await queries.fetchQuery(openedQuery(config, treasury, proposal.nonce)).catch(() => null);
    const fault = rejectionFault(proposal, treasury, { digest, opened });
    if (fault !== null) throw new RejectionDiffers(fault);
  };
}
