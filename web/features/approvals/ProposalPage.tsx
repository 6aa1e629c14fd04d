"use client";
import { useQuery } from "@tanstack/react-query";
import { useNow } from "@/lib/clock.tsx";
import { explain } from "@/lib/failure.ts";
import { integerText } from "@/lib/format.ts";
import { useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Proposal } from "@/lib/model.ts";
import { budgetsQuery, proposalQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address, Hash } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Line } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { PageHead, Section, Skeleton } from "@/ui/Section.tsx";
import { Ago, Left } from "@/ui/Time.tsx";
import { Actions } from "./Actions.tsx";
import { Calls } from "./Calls.tsx";
import { isOnGoneChain, standing } from "./rules.ts";
import { Signers } from "./Signers.tsx";
import { SimulationView } from "./SimulationView.tsx";
import { approvalReason } from "./treasury.ts";
import { proposalWords, stateBadge } from "./words.ts";

const back = { href: "/approvals", label: "Approvals" };

/** One proposal: enough to decide in seconds, and everything behind it for whoever doubts. */
export function ProposalPage({ proposalId }: { proposalId: string }) {
  const { data: proposal, error, refetch } = useQuery(proposalQuery(useService(), proposalId));
  const now = useNow();
  const isOfEarlierRun = useIsOfEarlierRun();
  // A proposal that the service knows no more is not decided about, though it is still in this page's memory.
  if (error && (!proposal || explain(error).kind === "missing"))
    return (
      <div className="space-y-5">
        <PageHead back={back} title="Proposal" />
        <FailureNotice error={error} back={back} onRetry={() => refetch()} />
      </div>
    );
  if (!proposal)
    return (
      <div className="space-y-5">
        <PageHead back={back} title="Proposal" />
        <Section flush title={proposalWords.calls}>
          <Skeleton rows={4} label={proposalWords.loading} />
        </Section>
      </div>
    );
  const { word, tone } = stateBadge(proposal, now, isOnGoneChain(proposal, isOfEarlierRun));
  const { isOpen } = standing(proposal, undefined, now);
  return (
    <div className="space-y-6">
      <PageHead back={back} title={proposal.words}>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Badge tone={tone}>{word}</Badge>
          {isOpen && <Left deadline={proposal.deadline} />}
          <span className="text-sm">
            {proposalWords.askedBy}{" "}
            <Address address={proposal.proposer} chosenName={proposal.proposerName} hasCopy={false} />{" "}
            <Ago at={proposal.openedAt} />
          </span>
        </div>
      </PageHead>
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="order-2 min-w-0 space-y-5 lg:order-1">
          <Calls calls={proposal.calls} />
          {isOpen && <SimulationView proposalId={proposal.proposalId} />}
          <Facts proposal={proposal} isOpen={isOpen} />
        </div>
        <div className="order-1 space-y-5 lg:sticky lg:top-20 lg:order-2">
          <Actions proposal={proposal} />
          <Signers proposal={proposal} isOpen={isOpen} />
        </div>
      </div>
    </div>
  );
}

function Facts({ proposal, isOpen }: { proposal: Proposal; isOpen: boolean }) {
  const { data } = useQuery(budgetsQuery(useService()));
  const reason = data ? approvalReason(proposal, data.items) : null;
  return (
    <Section title="Particulars">
      <dl>
        {reason && (
          <Line label={proposalWords.why}>
            {reason.limit === null ? (
              proposalWords.aboveThen
            ) : (
              <>
                {proposalWords.aboveLimit[0]} <Money {...reason.limit} /> {proposalWords.aboveLimit[1]}
              </>
            )}
          </Line>
        )}
        <Line label={proposalWords.treasury}>
          <Address address={proposal.treasury} />
        </Line>
        {isOpen && <Line label={proposalWords.deadline}>{proposalWords.until(proposal.deadline)}</Line>}
        <Line label={proposalWords.id}>
          <Hash hash={proposal.proposalId} what="proposal id" />
        </Line>
        <Line label="Reference">
          <Hash hash={proposal.reference} what="reference" />
        </Line>
        <Line label={proposalWords.nonce}>
          <span className="font-mono text-xs [overflow-wrap:anywhere]">
            {proposal.nonce.length > 12 ? proposal.nonce : integerText(proposal.nonce)}
          </span>
        </Line>
        {proposal.executedAt !== null && (
          <Line label="Executed">
            <Ago at={proposal.executedAt} />
          </Line>
        )}
        {proposal.transactionHash && (
          <Line label="Transaction">
            <Hash hash={proposal.transactionHash} what="transaction hash" kind="transaction" />
          </Line>
        )}
      </dl>
    </Section>
  );
}
