"use client";
import { queryOptions, skipToken, useQueries, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Client } from "viem";
import { type Config, useConfig } from "wagmi";
import { withTimeout } from "#offchain/core/pause.ts";
import type { Proposal } from "@/lib/model.ts";
import { simulationQuery } from "@/lib/queries.ts";
import { useService, useWebConfig } from "@/lib/session.tsx";
import { type Parties, partiesOf, readDenied, readStops } from "../reading/stops.ts";
import { type Risk, risksOf, type Unread } from "./risk.ts";

/** What stands against some decisions, and whether enough is known for them. */
export interface Risks {
  of: (proposal: Proposal) => Risk[];
  unread: readonly Unread[];
  /** It is asked for the first time. */
  isAsking: boolean;
  /** All is known, or the person who decides has seen that it is not. */
  mayDecide: boolean;
  isConfirmed: boolean;
  confirm: (isConfirmed: boolean) => void;
}

/** A stop by one owner is told to the others before they decide. */
const stopsEveryMs = 4_000;
const stopsTimeoutMs = 8_000;

/** What the chain says of those whom the proposal is about. */
const chainQuery = <Answer>(
  what: "stops" | "denials",
  read: (client: Client, treasury: string, parties: Parties) => Promise<Answer>,
  { config, chainId, isAsked }: { config: Config; chainId: number; isAsked: boolean },
  proposal: Proposal,
) => {
  const parties = partiesOf(proposal);
  return queryOptions({
    queryKey: [what, chainId, proposal.treasury, parties],
    staleTime: 0,
    refetchInterval: stopsEveryMs,
    retry: false,
    queryFn:
      parties && isAsked
        ? () =>
            withTimeout(
              read(config.getClient({ chainId }), proposal.treasury, parties),
              stopsTimeoutMs,
              silent,
            )
        : skipToken,
  });
};

/** A node that says nothing at all is not waited for as long as its transport does. */
const silent = (): never => {
  throw new Error(`no answer in ${stopsTimeoutMs} ms`);
};

interface Answer {
  isPending: boolean;
  isError: boolean;
  failureCount: number;
  isEnabled: boolean;
}

/** Also while it is asked once more, and while an older answer is there. */
const isUnread = ({ isEnabled, isPending, isError, failureCount }: Answer) =>
  isEnabled && (isError || (isPending && failureCount > 0));
const isAwaited = (answer: Answer) => answer.isEnabled && answer.isPending && !isUnread(answer);

/** What stands against deciding about these as things are now: asked anew when it appears, and again and again. */
export function useRisks(
  proposals: readonly Proposal[],
  {
    isAsked,
    isSimulated = true,
  }: {
    isAsked: boolean;
    /** Of many at once none is: that would be as many simulations for each block. */
    isSimulated?: boolean;
  },
): Risks {
  const config = useConfig();
  const service = useService();
  const { chainId } = useWebConfig();
  const asksSimulation = isAsked && isSimulated;
  const place = { config, chainId, isAsked };
  const stops = useQueries({
    queries: proposals.map((one) => chainQuery("stops", readStops, place, one)),
  });
  const denials = useQueries({
    queries: proposals.map((one) => chainQuery("denials", readDenied, place, one)),
  });
  const simulations = useQueries({
    queries: proposals.map(({ proposalId }) => ({
      ...simulationQuery(service, proposalId),
      enabled: asksSimulation,
    })),
  });
  useSimulatedAnew(proposals, asksSimulation);
  const asked: Record<Unread, readonly Answer[]> = { stops, denials, simulation: simulations };
  const unread = (Object.keys(asked) as Unread[]).filter((what) => asked[what].some(isUnread));
  const isAsking = Object.values(asked).flat().some(isAwaited);
  const { isConfirmed, confirm } = useConfirmed(unread.join());
  return {
    of(proposal) {
      const at = proposals.findIndex(({ proposalId }) => proposalId === proposal.proposalId);
      const simulation = simulations[at]?.data;
      const failure = simulation && !simulation.succeeds ? (simulation.reason ?? "") : null;
      const denied = denials[at]?.data ?? null;
      return risksOf(proposal, { stops: stops[at]?.data ?? null, denied, failure });
    },
    unread,
    isAsking,
    mayDecide: !isAsking && (unread.length === 0 || isConfirmed),
    isConfirmed,
    confirm,
  };
}

/** What is kept of a simulation may be of an earlier block. */
function useSimulatedAnew(proposals: readonly Proposal[], isSimulated: boolean): void {
  const queries = useQueryClient();
  const ids = proposals.map(({ proposalId }) => proposalId).join();
  useEffect(() => {
    if (!isSimulated) return;
    for (const id of ids.split(",")) void queries.invalidateQueries({ queryKey: ["simulation", id] });
  }, [queries, ids, isSimulated]);
}

/** Whoever has said to decide without knowing one thing has not said so of another. */
function useConfirmed(what: string) {
  const [confirmed, setConfirmed] = useState("");
  // It is known again: who decides when it is not, is asked anew.
  if (what === "" && confirmed !== "") setConfirmed("");
  return {
    isConfirmed: what !== "" && confirmed === what,
    confirm: (isConfirmed: boolean) => setConfirmed(isConfirmed ? what : ""),
  };
}
