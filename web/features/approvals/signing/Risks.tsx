"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Proposal } from "@/lib/model.ts";
import { budgetsQuery, simulationQuery, treasuryQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Notice } from "@/ui/Notice.tsx";
import { risksOf } from "../rules.ts";
import { riskWords } from "./words.ts";

/** What stands against signing or executing a proposal as things are now: asked anew when it appears, and at each block. */
export function Risks({
  proposal,
  isSimulated = true,
}: {
  proposal: Proposal;
  /** Of many at once none is: that would be as many simulations for each block. */
  isSimulated?: boolean;
}) {
  const service = useService();
  const queries = useQueryClient();
  const { proposalId } = proposal;
  const { data: budgets } = useQuery(budgetsQuery(service));
  const { data: treasury } = useQuery(treasuryQuery(service));
  const { data: simulation } = useQuery({ ...simulationQuery(service, proposalId), enabled: isSimulated });
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: simulationQuery(service, proposalId).queryKey });
  }, [queries, service, proposalId]);
  const risks = risksOf(proposal, {
    budgets: budgets?.items ?? [],
    isPaused: treasury?.paused ?? false,
    failure: simulation && !simulation.succeeds ? (simulation.reason ?? "") : null,
  });
  if (risks.length === 0) return null;
  return (
    <Notice isAlert tone="warn" title={riskWords.title}>
      {risks.map((risk) => (
        <p key={risk.kind + risk.about}>{riskWords[risk.kind](risk.about)}</p>
      ))}
    </Notice>
  );
}
