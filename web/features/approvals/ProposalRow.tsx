"use client";
import Link from "next/link";
import { useConnection } from "wagmi";
import { useNow } from "@/lib/clock.tsx";
import { useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Proposal } from "@/lib/model.ts";
import { Badge } from "@/ui/Badge.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { Ticks } from "@/ui/Meter.tsx";
import { Ago, Left } from "@/ui/Time.tsx";
import { isOnGoneChain, standing } from "./rules.ts";
import { queueWords, stateBadge } from "./words.ts";

/** One proposal in a list: the sentence first, then how far it is. */
export function ProposalRow({
  proposal,
  isChosen = false,
  hasRoomToChoose = false,
  onChoose,
}: {
  proposal: Proposal;
  isChosen?: boolean;
  /** Keeps the sentences of a list in line when only some rows can be chosen. */
  hasRoomToChoose?: boolean;
  onChoose?: (() => void) | undefined;
}) {
  const { address } = useConnection();
  const now = useNow();
  const { isOpen, isMine, signed } = standing(proposal, address, now);
  const { word, tone } = stateBadge(proposal, now, isOnGoneChain(proposal, useIsOfEarlierRun()));
  return (
    <li className="relative flex gap-3 border-line border-b px-4 py-3.5 last:border-0 hover:bg-sunken/50 sm:px-5">
      {onChoose && (
        <input
          type="checkbox"
          aria-label={queueWords.choose(proposal.words)}
          className="relative z-10 mt-0.5 size-4 shrink-0 accent-accent"
          checked={isChosen}
          onChange={onChoose}
        />
      )}
      {hasRoomToChoose && !onChoose && <span aria-hidden="true" className="size-4 shrink-0" />}
      <div className="grid min-w-0 flex-1 gap-x-6 gap-y-1.5 md:grid-cols-[minmax(0,1fr)_auto]">
        <div className="min-w-0">
          <Link
            href={`/approvals/${proposal.proposalId}`}
            className="font-medium decoration-edge underline-offset-4 [overflow-wrap:anywhere] after:absolute after:inset-0 hover:underline"
          >
            {proposal.words}
          </Link>
          <p className="mt-0.5 flex flex-wrap items-center gap-x-2 text-ink-3 text-sm">
            <span>
              {queueWords.asked(proposal)} <Ago at={proposal.openedAt} />
            </span>
            {isOpen && <Left deadline={proposal.deadline} />}
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5 md:justify-end">
          {isOpen && <Ticks done={Math.min(signed, proposal.threshold)} total={proposal.threshold} />}
          {proposal.calls.some(({ warnings }) => warnings.length > 0) && (
            <Badge tone="warn">{queueWords.hasWarnings}</Badge>
          )}
          <Badge tone={tone}>{word}</Badge>
          {isMine && (
            <span className="inline-flex items-center gap-1 font-medium text-accent text-sm">
              {queueWords.mine} <Icon name="arrow" className="size-3.5" />
            </span>
          )}
        </div>
      </div>
    </li>
  );
}
