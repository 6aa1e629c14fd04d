"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useRouter, useSearchParams } from "next/navigation";
import { useState } from "react";
import { useConnection } from "wagmi";
import { useNow } from "@/lib/clock.tsx";
import type { Proposal } from "@/lib/model.ts";
import { proposalsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Button } from "@/ui/Button.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { Toggle } from "@/ui/Toggle.tsx";
import { ProposalRow } from "./ProposalRow.tsx";
import { isInFilter, type QueueFilter, queueOrder, standing, statesOf } from "./rules.ts";
import { BatchSignDialog } from "./signing/BatchSignDialog.tsx";
import { queueEmpty, queueFilters, queueWords } from "./words.ts";

/** All proposals by state; those that wait for the viewer first, several signed in one go. */
export function Queue() {
  const { address } = useConnection();
  const now = useNow();
  const filter = useFilter();
  const { chosen, toggle, setChosen } = useChoice();
  const [isSigning, setSigning] = useState(false);
  const service = useService();
  const waiting = useInfiniteQuery(proposalsQuery(service, statesOf.waiting));
  const answer = useInfiniteQuery(proposalsQuery(service, statesOf[filter.value]));
  const shown = (answer.data ?? []).filter((proposal) => isInFilter(proposal, filter.value, now));
  const rows = filter.value === "waiting" ? queueOrder(shown, address, now) : shown;
  const signable = rows.filter((proposal) => standing(proposal, address, now).canSign);
  const picked = signable.filter(({ proposalId }) => chosen.has(proposalId));

  return (
    <Section
      flush
      title="Proposals"
      aside={
        <Toggle
          label="State"
          value={filter.value}
          options={withCounts(waiting.data ?? [], now)}
          onChange={filter.set}
        />
      }
    >
      {answer.isPending && <Skeleton rows={4} label={queueWords.loading} />}
      {answer.error && !answer.data && (
        <div className="p-4">
          <FailureNotice error={answer.error} onRetry={() => answer.refetch()} />
        </div>
      )}
      {answer.isSuccess && rows.length === 0 && !answer.hasNextPage && (
        <Empty title={queueEmpty[filter.value].title}>{queueEmpty[filter.value].text}</Empty>
      )}
      {signable.length > 1 && (
        <BatchBar
          count={picked.length}
          total={signable.length}
          onAll={() =>
            setChosen(picked.length === signable.length ? [] : signable.map(({ proposalId }) => proposalId))
          }
          onSign={() => setSigning(true)}
        />
      )}
      <Rows rows={rows} signable={signable} chosen={chosen} toggle={toggle} />
      {answer.hasNextPage && (
        <div className="border-line border-t p-3 text-center">
          <Button look="quiet" isBusy={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
            {queueWords.older}
          </Button>
        </div>
      )}
      <BatchSignDialog
        proposals={picked}
        isOpen={isSigning}
        onClose={() => {
          setSigning(false);
          setChosen([]);
        }}
      />
    </Section>
  );
}

function Rows({
  rows,
  signable,
  chosen,
  toggle,
}: {
  rows: readonly Proposal[];
  signable: readonly Proposal[];
  chosen: ReadonlySet<string>;
  toggle: (proposalId: string) => void;
}) {
  const isChoice = signable.length > 1;
  return (
    <ul>
      {rows.map((proposal) => (
        <ProposalRow
          key={proposal.proposalId}
          proposal={proposal}
          hasRoomToChoose={isChoice}
          isChosen={chosen.has(proposal.proposalId)}
          onChoose={isChoice && signable.includes(proposal) ? () => toggle(proposal.proposalId) : undefined}
        />
      ))}
    </ul>
  );
}

/** The proposals that are to be signed together, by id. */
function useChoice() {
  const [chosen, setSet] = useState<ReadonlySet<string>>(new Set());
  const setChosen = (ids: readonly string[]) => setSet(new Set(ids));
  const toggle = (id: string) =>
    setChosen(chosen.has(id) ? [...chosen].filter((other) => other !== id) : [...chosen, id]);
  return { chosen, toggle, setChosen };
}

function BatchBar({
  count,
  total,
  onAll,
  onSign,
}: {
  count: number;
  total: number;
  onAll: () => void;
  onSign: () => void;
}) {
  return (
    <div className="flex flex-wrap items-center gap-3 border-line border-b bg-sunken/50 px-4 py-2 sm:px-5">
      <label className="inline-flex min-h-6 items-center gap-2.5 text-sm">
        <input type="checkbox" className="size-4 accent-accent" checked={count === total} onChange={onAll} />
        {queueWords.all(total)}
      </label>
      <Button look="primary" className="ml-auto" disabled={count === 0} onClick={onSign}>
        {count > 0 ? `Sign ${count}` : "Sign"}
      </Button>
    </div>
  );
}

const withCounts = (waiting: readonly Proposal[], now: number) =>
  queueFilters.map((option) => ({
    ...option,
    count:
      option.value === "waiting"
        ? waiting.filter((one) => isInFilter(one, "waiting", now)).length
        : undefined,
  }));

/** The filter lives in the address, so that it can be shared and gone back to. */
function useFilter() {
  const parameters = useSearchParams();
  const router = useRouter();
  const asked = parameters.get("state");
  const value = queueFilters.find((option) => option.value === asked)?.value ?? "waiting";
  const set = (next: QueueFilter) =>
    router.replace(next === "waiting" ? "/approvals" : `/approvals?state=${next}`, { scroll: false });
  return { value, set };
}
