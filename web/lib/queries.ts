"use client";
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Client } from "#offchain/sdk/client.ts";
import type { Proposal, ProposalState } from "./model.ts";

/** Every question that pages ask the service, with the key under which the answer is kept. */

const overviewEveryMs = 4_000;

/** Every page asks it, and by its answers knows that the service is there: it is asked also while nothing happens. */
export const overviewQuery = (service: Client) =>
  queryOptions({
    queryKey: ["overview"],
    queryFn: ({ signal }) => service.overview.show({}, { signal }),
    refetchInterval: overviewEveryMs,
  });

/** The service's own accounts stand on the first page. */
export const walletsQuery = (service: Client) =>
  infiniteQueryOptions({
    queryKey: ["wallets", "pages"],
    queryFn: ({ signal, pageParam }) =>
      service.wallets.list({ limit: 100, ...(pageParam && { cursor: pageParam }) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });

/** One account's, whichever page it stands on. */
export const walletQuery = (service: Client, address: string) =>
  queryOptions({
    queryKey: ["wallets", address.toLowerCase()],
    queryFn: ({ signal }) => service.wallets.list({ address: address as `0x${string}` }, { signal }),
  });

export const treasuryQuery = (service: Client) =>
  queryOptions({
    queryKey: ["treasury"],
    queryFn: ({ signal }) => service.treasury.show({}, { signal }),
  });

export const budgetsQuery = (service: Client) =>
  queryOptions({
    queryKey: ["budgets"],
    queryFn: ({ signal }) => service.treasury.budgets({}, { signal }),
  });

/** Of each state that is asked for, where its next page begins; null: there is none. */
type Cursors = Readonly<Partial<Record<ProposalState | "any", string | null>>>;

const proposalsAtOnce = 50;

/**
 * Proposals in these states, newest first; in any, if none is named. Each state is asked for by itself: the newest of
 * all states may be fifty that are long done with.
 */
export const proposalsQuery = (service: Client, states: readonly ProposalState[] = []) =>
  infiniteQueryOptions({
    queryKey: ["proposals", ...states],
    queryFn: async ({ signal, pageParam }) => {
      const wanted = states.length > 0 ? states : (["any"] as const);
      const pages = await Promise.all(
        wanted.map(async (state) => {
          const cursor = pageParam[state];
          if (cursor === null) return { state, items: [], next: null };
          const query = {
            limit: proposalsAtOnce,
            ...(state !== "any" && { state }),
            ...(cursor && { cursor }),
          };
          return { state, ...(await service.treasury.proposals(query, { signal })) };
        }),
      );
      const next: Cursors = Object.fromEntries(pages.map((page) => [page.state, page.next]));
      return { items: pages.flatMap(({ items }) => items), next };
    },
    initialPageParam: {} as Cursors,
    getNextPageParam: ({ next }) => (Object.values(next).some((cursor) => cursor !== null) ? next : null),
    select: ({ pages }) => merged(pages.flatMap(({ items }) => items)),
  });

/** Once each: one may have changed its state between two questions. */
const merged = (items: readonly Proposal[]): Proposal[] =>
  [...new Map(items.map((proposal) => [proposal.proposalId, proposal])).values()].toSorted(
    (one, other) => other.openedAt - one.openedAt,
  );

export const proposalQuery = (service: Client, proposalId: string) =>
  queryOptions({
    queryKey: ["proposal", proposalId],
    queryFn: ({ signal }) => service.treasury.proposal({ proposalId }, { signal }),
  });

export const simulationQuery = (service: Client, proposalId: string) =>
  queryOptions({
    queryKey: ["simulation", proposalId],
    queryFn: ({ signal }) => service.treasury.simulate({ proposalId }, { signal }),
    staleTime: 10_000,
  });

export interface PaymentsFilter {
  payer?: string;
  payee?: string;
  batchId?: string;
}

export const paymentsQuery = (service: Client, filter: PaymentsFilter = {}, limit = 25) =>
  infiniteQueryOptions({
    queryKey: ["payments", filter, limit],
    queryFn: ({ signal, pageParam }) =>
      service.payments.list({ ...filter, limit, ...(pageParam && { cursor: pageParam }) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });

export const receiptQuery = (service: Client, paymentId: string) =>
  queryOptions({
    queryKey: ["receipt", paymentId],
    queryFn: ({ signal }) => service.payments.receipt({ paymentId }, { signal }),
  });

export const batchesQuery = (service: Client, limit = 10) =>
  infiniteQueryOptions({
    queryKey: ["batches", limit],
    queryFn: ({ signal, pageParam }) =>
      service.batches.list({ limit, ...(pageParam && { cursor: pageParam }) }, { signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });

export const batchQuery = (service: Client, batchId: string) =>
  queryOptions({
    queryKey: ["batch", batchId],
    queryFn: ({ signal }) => service.batches.show({ batchId }, { signal }),
  });

export const channelsQuery = (service: Client, side: "payer" | "receiver", address: string) =>
  queryOptions({
    queryKey: ["channels", side, address],
    queryFn: ({ signal }) => service.channels.list({ [side]: address, limit: 50 }, { signal }),
  });

const clearingEveryMs = 5_000;

export const clearingQuery = (service: Client) =>
  queryOptions({
    queryKey: ["clearing"],
    queryFn: ({ signal }) => service.clearing.show({ limit: 10 }, { signal }),
    refetchInterval: clearingEveryMs,
  });

export const standingQuery = (service: Client, payee: string) =>
  queryOptions({
    queryKey: ["clearing", payee],
    queryFn: ({ signal }) => service.clearing.standing({ payee: payee as `0x${string}` }, { signal }),
    refetchInterval: clearingEveryMs,
  });

const solvencyEveryMs = 10_000;

export const solvencyQuery = (service: Client) =>
  queryOptions({
    queryKey: ["solvency"],
    queryFn: ({ signal }) => service.solvency.report({}, { signal }),
    refetchInterval: solvencyEveryMs,
  });
