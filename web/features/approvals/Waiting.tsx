"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useConnection } from "wagmi";
import { useNow } from "@/lib/clock.tsx";
import { useConnectDialog } from "@/lib/connectDialog.tsx";
import { proposalsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Button, ButtonLink } from "@/ui/Button.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { ProposalRow } from "./ProposalRow.tsx";
import { isInFilter, queueOrder, standing, statesOf } from "./rules.ts";
import { waitingWords } from "./words.ts";

const mostShown = 4;

/** What waits for the viewer, before anything else on the first page. */
export function Waiting() {
  const { address } = useConnection();
  const dialog = useConnectDialog();
  const now = useNow();
  const answer = useInfiniteQuery(proposalsQuery(useService(), statesOf.waiting));
  const open = (answer.data ?? []).filter((one) => isInFilter(one, "waiting", now));
  const ordered = queueOrder(open, address, now);
  const mine = ordered.filter((proposal) => standing(proposal, address, now).isMine).length;
  const note =
    open.length === 0 ? undefined : waitingWords.note(open.length, address ? mine : null, answer.hasNextPage);
  return (
    <Section
      flush
      title={waitingWords.title(address !== undefined)}
      // While it is not known, its room is kept: else the button moves down when it comes.
      note={answer.isPending ? <span className="invisible">{waitingWords.note(10, null, false)}</span> : note}
      aside={
        (open.length > 0 || answer.isPending) && !address ? (
          <Button look="quiet" onClick={dialog.open}>
            {waitingWords.connect}
          </Button>
        ) : (
          (open.length > mostShown || answer.hasNextPage) && (
            <ButtonLink look="quiet" href="/approvals">
              {waitingWords.all(open.length, answer.hasNextPage)}
            </ButtonLink>
          )
        )
      }
    >
      {answer.isPending && (
        <div className="min-h-64 sm:min-h-40">
          <Skeleton rows={2} label={waitingWords.loading} />
        </div>
      )}
      {answer.error && !answer.data && (
        <div className="p-4">
          <FailureNotice error={answer.error} onRetry={() => answer.refetch()} />
        </div>
      )}
      {answer.isSuccess && open.length === 0 && !answer.hasNextPage && (
        <Empty title={waitingWords.empty.title}>{waitingWords.empty.text}</Empty>
      )}
      <ul>
        {ordered.slice(0, mostShown).map((proposal) => (
          <ProposalRow key={proposal.proposalId} proposal={proposal} />
        ))}
      </ul>
    </Section>
  );
}
