"use client";
import { type QueryClient, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { BaseError, erc20Abi, HttpRequestError, TimeoutError } from "viem";
import { type Config, useConfig } from "wagmi";
import { readContract } from "wagmi/actions";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import type { Proposal } from "@/lib/model.ts";
import { useWebConfig } from "@/lib/session.tsx";
import { refusals } from "../signing/words.ts";
import { isAsShown, proposalHashes } from "../treasury.ts";
import { type Comparison, compareProposal, tokensOf } from "./comparison.ts";
import { useTreasury } from "./useTreasury.ts";
import type { TokenUnit } from "./words.ts";

/** What the service shows is not what would be signed or executed: neither may be done. */
class ProposalDiffers extends Error {
  override readonly name = "ProposalDiffers";
}

/** What a token's contract calls itself, from the chain and not from the service. */
const unitQuery = (config: Config, chainId: number, token: string) =>
  queryOptions({
    queryKey: ["token unit", chainId, token],
    staleTime: Number.POSITIVE_INFINITY,
    async queryFn(): Promise<TokenUnit | null> {
      const contract = { address: token as `0x${string}`, abi: erc20Abi, chainId } as const;
      try {
        const [symbol, decimals] = await Promise.all([
          readContract(config, { ...contract, functionName: "symbol" }),
          readContract(config, { ...contract, functionName: "decimals" }),
        ]);
        return { symbol, decimals };
      } catch (error) {
        // Only a chain that answered has said that the contract has no unit.
        const isSilent = (cause: unknown) =>
          cause instanceof HttpRequestError || cause instanceof TimeoutError;
        if (!(error instanceof BaseError) || error.walk(isSilent)) throw error;
        return null;
      }
    },
  });

async function read(
  proposal: Proposal,
  { queries, config, chainId, coin }: { queries: QueryClient; config: Config; chainId: number; coin: string },
): Promise<Comparison> {
  const units = await Promise.all(
    tokensOf(proposal).map(
      async (token) => [token, await queries.fetchQuery(unitQuery(config, chainId, token))] as const,
    ),
  );
  return compareProposal(proposal, new Map(units), coin);
}

function useSurroundings() {
  const queries = useQueryClient();
  const config = useConfig();
  const { chainId, nativeCoin: coin } = useWebConfig();
  return { queries, config, chainId, coin };
}

/** What this page reads in the signed bytes, against what the service says of them; undefined while it asks the chain. */
export function useComparison(proposal: Proposal) {
  const surroundings = useSurroundings();
  const { proposalId, words, calls, deadline } = proposal;
  return useQuery({
    queryKey: ["comparison", proposalId, words, calls, deadline],
    queryFn: () => read(proposal, surroundings),
    retry: 1,
  });
}

/** Refuses a proposal whose hash or content is not what the page shows: before a signature, an approval, an execution. */
export function useCheck(): (proposal: Proposal) => Promise<void> {
  const surroundings = useSurroundings();
  const treasury = useTreasury();
  return async (proposal) => {
    if (!treasury) throw new Error(refusals.noTreasury);
    const { digest } = proposalHashes(typedProposal(proposal, treasury));
    if (!isAsShown(proposal, treasury, digest))
      throw new ProposalDiffers(refusals.hashMismatch(digest, proposal.proposalId));
    const { differences } = await read(proposal, surroundings);
    if (differences.length > 0) throw new ProposalDiffers(refusals.differs(differences));
  };
}
