"use client";
import { useQueryClient } from "@tanstack/react-query";
import type { Proposal } from "@/lib/model.ts";
import { simulationQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { refusals } from "./words.ts";

/** The simulation of this moment says that executing would fail. */
class ProposalWouldFail extends Error {
  override readonly name = "ProposalWouldFail";
}

/** Simulates a proposal right before it is sent: what stands on the page may be of an earlier block. */
export function useRehearsal(): (proposal: Proposal) => Promise<void> {
  const queries = useQueryClient();
  const service = useService();
  return async ({ proposalId }) => {
    const asked = queries.fetchQuery({
      ...simulationQuery(service, proposalId),
      staleTime: 0,
      retry: false,
    });
    // Nobody may be kept from executing by a service that cannot simulate: the wallet and the contract look, too.
    const simulation = await asked.catch(() => null);
    if (simulation && !simulation.succeeds)
      throw new ProposalWouldFail(refusals.wouldFail(simulation.reason));
  };
}
