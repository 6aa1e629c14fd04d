"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { shortHex } from "@/lib/format.ts";
import type { Proposal } from "@/lib/model.ts";
import { proposalQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Button } from "@/ui/Button.tsx";
import { Dialog } from "@/ui/Dialog.tsx";
import { ProposalSummary } from "../Calls.tsx";
import { ProgressNotice } from "../ProgressNotice.tsx";
import { useSign } from "../useOwnerActions.ts";
import { signerWords } from "../words.ts";
import type { Progress } from "./progress.ts";
import { RiskNotice, UnreadNotice } from "./Risks.tsx";
import { useAnswer, useHalt } from "./useProgress.ts";
import { type Risks, useRisks } from "./useRisks.ts";
import { useIsElsewhere, WrongNetwork } from "./WrongNetwork.tsx";
import { batchSignWords, batchStopWords, signWords } from "./words.ts";

/** Signs several proposals one after the other; each is its own signature, and one refusal stops the rest. */
export function BatchSignDialog({
  proposals,
  isOpen,
  onClose,
}: {
  proposals: readonly Proposal[];
  isOpen: boolean;
  onClose: () => void;
}) {
  // The list is fixed when signing starts: proposals leave the queue as they are signed.
  const [work, setWork] = useState<readonly Proposal[] | null>(null);
  const [done, setDone] = useState<ReadonlySet<string>>(new Set());
  const sign = useSign();
  const listed = work ?? proposals;
  const left = listed.filter(({ proposalId }) => !done.has(proposalId));
  const isDone = work !== null && done.size === work.length;
  const isBusy = ["checking", "wallet", "service"].includes(sign.progress.at);
  // Also when its answer was lost: the service's own word then tells whether it arrived.
  const asked = isBusy || sign.progress.at === "failed" ? left[0] : undefined;
  const isElsewhere = useIsElsewhere();
  const risks = useRisks(left, { isAsked: isOpen, isSimulated: false });
  const isOver = isDone || sign.progress.at === "stopped";

  const tick = ({ proposalId }: Proposal) => setDone((before) => new Set(before).add(proposalId));

  function start() {
    setWork(listed);
    void sign.run(left, tick);
  }

  const close = () => {
    if (sign.stop()) return;
    setWork(null);
    setDone(new Set());
    onClose();
  };

  return (
    <Dialog title={titled(listed)} note={batchSignWords.meaning} isOpen={isOpen} onClose={close}>
      <div className="space-y-4">
        <ProposalsToSign proposals={listed} signed={done} risks={risks} />
        {asked && <Asked key={asked.proposalId} proposal={asked} sign={sign} onSigned={tick} />}
        {!isDone && isElsewhere && <WrongNetwork />}
        {/* However long the list is, how far it came and what to do next stay in view. */}
        <div className="sticky bottom-0 -mx-5 -mb-4 space-y-3 border-line border-t bg-surface px-5 py-4">
          {!isOver && <UnreadNotice risks={risks} />}
          {!isDone && (
            <ProgressNotice
              progress={sign.progress}
              what="signature"
              onRetry={risks.mayDecide ? start : undefined}
              tell={(failure) => batchStopWords(done.size, listed.length, failure)}
            />
          )}
          <div className="flex justify-end gap-2">
            <Button look={isOver ? "primary" : "quiet"} onClick={close}>
              {isOver ? "Close" : "Cancel"}
            </Button>
            {!isOver && !isElsewhere && sign.progress.at !== "failed" && (
              <Button look="primary" isBusy={isBusy} disabled={!isBusy && !risks.mayDecide} onClick={start}>
                {isBusy ? batchSignWords.signing(done.size + 1, listed.length) : signWords.sign}
              </Button>
            )}
          </div>
        </div>
      </div>
    </Dialog>
  );
}

const titled = (proposals: readonly Proposal[]): string => batchSignWords.title(proposals.length);

/**
 * Follows the one that is asked for, of which the list that is signed is older: stops when it has ended, and hears of a
 * signature that arrived though its answer was lost.
 */
function Asked({
  proposal,
  sign,
  onSigned,
}: {
  proposal: Proposal;
  sign: ReturnType<typeof useSign>;
  onSigned: (proposal: Proposal) => void;
}) {
  const { data = proposal } = useQuery(proposalQuery(useService(), proposal.proposalId));
  const move = (next: Progress) => {
    if (next.at === "done") onSigned(proposal);
    sign.move(next);
  };
  useAnswer(sign.progress, { what: "signature", proposal: data, move });
  useHalt(sign.progress, { proposal: data, halt: sign.halt });
  return null;
}

function ProposalsToSign({
  proposals,
  signed,
  risks,
}: {
  proposals: readonly Proposal[];
  risks: Risks;
  /** Their ids. */
  signed: ReadonlySet<string>;
}) {
  return (
    <ol className="divide-y divide-line rounded-lg border border-line">
      {proposals.map((proposal) => (
        <li key={proposal.proposalId} className="flex items-start justify-between gap-4 px-4 py-3">
          <div className="min-w-0">
            <ProposalSummary proposal={proposal} />
            {!signed.has(proposal.proposalId) && (
              <div className="mt-2">
                <RiskNotice proposal={proposal} risks={risks} />
              </div>
            )}
            <p className="mt-2 font-mono text-ink-3 text-xs" title={proposal.proposalId}>
              {shortHex(proposal.proposalId, 8)}
            </p>
          </div>
          {signed.has(proposal.proposalId) && <Badge tone="good">{signerWords.signed}</Badge>}
        </li>
      ))}
    </ol>
  );
}
