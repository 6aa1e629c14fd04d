"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useNow } from "@/lib/clock.tsx";
import { explain } from "@/lib/failure.ts";
import { integerText, shortHex } from "@/lib/format.ts";
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
import { useOthersOfNonce } from "./reading/useOpened.ts";
import { isOnGoneChain, standing } from "./rules.ts";
import { Signers } from "./Signers.tsx";
import { SimulationView } from "./SimulationView.tsx";
import { asLeft } from "./signing/progress.ts";
import { approvalReason } from "./treasury.ts";
import { useTransaction } from "./useOwnerActions.ts";
import { proposalWords, stateBadge } from "./words.ts";

const back = { href: "/approvals", label: "Approvals" };

/** One proposal: enough to decide in seconds, and everything behind it for whoever doubts. */
export function ProposalPage({ proposalId }: { proposalId: string }) {
  const { data: proposal, error, refetch } = useQuery(proposalQuery(useService(), proposalId));
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
  return <Known key={proposal.proposalId} proposal={proposal} />;
}

function Known({ proposal: told }: { proposal: Proposal }) {
  // Kept here, because what came of them is still to be read when the proposal has closed.
  const execution = useTransaction("execution", told);
  const rejection = useTransaction("rejection", told);
  const now = useNow();
  const isGone = isOnGoneChain(told, useIsOfEarlierRun());
  const proposal = asLeft(told, execution.progress, rejection.progress);
  const { word, tone } = stateBadge(proposal, now, isGone);
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
          <Calls calls={proposal.calls} isOpen={isOpen} />
          {isOpen && <SimulationView proposalId={proposal.proposalId} />}
          <Facts proposal={proposal} isOpen={isOpen} />
        </div>
        <div className="order-1 space-y-5 lg:sticky lg:top-20 lg:order-2">
          <Actions proposal={proposal} execution={execution} rejection={rejection} />
          <Signers proposal={proposal} isOpen={isOpen} />
        </div>
      </div>
    </div>
  );
}

/** The chain's own word on what shares the nonce: of all that do, one can be executed. */
function OthersOfNonce({ proposal }: { proposal: Proposal }) {
  const others = useOthersOfNonce(proposal, true);
  const { alone, unknown, shared } = proposalWords.nonceOf;
  if (others === undefined) return null;
  if (others === null) return <p className="text-sm text-warn">{unknown}</p>;
  if (others.length === 0) return <p className="text-ink-3 text-sm">{alone}</p>;
  return (
    <div className="text-sm text-warn">
      <p>{shared(others.length)}</p>
      <ul>
        {others.map((id) => (
          <li key={id}>
            <OtherProposal id={id} isKnown />
          </li>
        ))}
      </ul>
    </div>
  );
}

function OtherProposal({ id, isKnown }: { id: string; isKnown: boolean }) {
  if (!isKnown) return <Hash hash={id} what="proposal id" />;
  return (
    <Link href={`/approvals/${id}`} className="font-mono text-xs underline underline-offset-4">
      {shortHex(id, 8)}
    </Link>
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
          {(isOpen || proposal.unfollowed) && <OthersOfNonce proposal={proposal} />}
        </Line>
        {proposal.supersededBy && (
          <Line label={proposalWords.supersededBy}>
            <OtherProposal id={proposal.supersededBy.proposalId} isKnown={proposal.supersededBy.known} />
            {!proposal.supersededBy.known && <p className="text-sm">{proposalWords.unopened}</p>}
          </Line>
        )}
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
