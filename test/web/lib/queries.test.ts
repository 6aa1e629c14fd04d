import { InfiniteQueryObserver, QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { Client } from "#offchain/sdk/client.ts";
import { statesOf } from "@/features/approvals/rules.ts";
import type { Proposal, ProposalState } from "@/lib/model.ts";
import { proposalsQuery } from "@/lib/queries.ts";
import { proposalOf } from "../support/proposal.ts";

/** A service with these proposals, newest first, that gives pages as the real one does. */
function serviceWith(all: readonly Proposal[]): Client {
  const proposals = async ({
    state,
    cursor,
    limit,
  }: {
    state?: ProposalState;
    cursor?: string;
    limit: number;
  }) => {
    const from = Number(cursor ?? 0);
    const items = all.filter((one) => !state || one.state === state).slice(from, from + limit);
    return { items, next: items.length < limit ? null : String(from + limit) };
  };
  return { treasury: { proposals } } as unknown as Client;
}

const made = (count: number, state: ProposalState, openedAt: number) =>
  Array.from({ length: count }, (_, index) =>
    proposalOf(0, { state, openedAt: openedAt - index, proposalId: `0x${state}${index}` as `0x${string}` }),
  );

function asking(service: Client, states: readonly ProposalState[]) {
  const observer = new InfiniteQueryObserver(new QueryClient(), proposalsQuery(service, states));
  const stop = observer.subscribe(() => {});
  return { observer, stop };
}

test("what waits is found behind any number of newer ones that are done", async () => {
  const [ready, open] = [made(1, "ready", 20), made(2, "open", 50)];
  const { observer, stop } = asking(
    serviceWith([...made(60, "executed", 1_000), ...open, ...ready]),
    statesOf.waiting,
  );
  const { data, hasNextPage } = await observer.refetch();
  expect(data?.map(({ state }) => state)).toEqual(["open", "open", "ready"]);
  expect(hasNextPage).toBe(false);
  stop();
});

test("a further page goes on in the states that have one, and nothing comes twice", async () => {
  const { observer, stop } = asking(
    serviceWith([...made(60, "open", 1_000), ...made(3, "ready", 500)]),
    statesOf.waiting,
  );
  await observer.refetch();
  const { data, hasNextPage } = await observer.fetchNextPage();
  expect(data).toHaveLength(63);
  expect(hasNextPage).toBe(false);
  stop();
});

test("every state is asked for by exactly one of waiting, executed and closed", () => {
  const { waiting, executed, closed } = statesOf;
  expect([...waiting, ...executed, ...closed].toSorted()).toEqual(
    ["open", "ready", "executed", "superseded", "cancelled", "expired", "outdated", "lost"].toSorted(),
  );
});
