"use client";
import { useNow } from "@/lib/clock.tsx";
import type { Proposal } from "@/lib/model.ts";
import { Address, Hash } from "@/ui/Address.tsx";
import { Button } from "@/ui/Button.tsx";
import { Dialog } from "@/ui/Dialog.tsx";
import { ProgressNotice } from "../ProgressNotice.tsx";
import { useOthersOfNonce } from "../reading/useOpened.ts";
import type { useTransaction } from "../useOwnerActions.ts";
import { proposalWords } from "../words.ts";
import { endOf } from "./progress.ts";
import { useIsElsewhere, WrongNetwork } from "./WrongNetwork.tsx";
import { rejectionWords } from "./words.ts";

/** One owner's own transaction, which uses up the proposal's nonce: what that ends is told before it is sent. */
export function RejectionDialog({
  proposal,
  transaction,
  isOpen,
  onClose,
}: {
  proposal: Proposal;
  transaction: ReturnType<typeof useTransaction>;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { progress } = transaction;
  const { at } = progress;
  const isElsewhere = useIsElsewhere();
  const isEnded = endOf(proposal, useNow(), "rejection") !== null;
  const isBusy = at === "checking" || at === "wallet" || at === "submitted";
  // What failed is forgotten: who opens it again decides anew.
  const close = () => {
    if (!transaction.leave()) onClose();
  };
  const canSend = !isEnded && !isElsewhere;
  return (
    <Dialog size="sm" title={rejectionWords.ask} isOpen={isOpen} onClose={close}>
      <div className="space-y-4">
        <p className="font-medium [overflow-wrap:anywhere]">{proposal.words}</p>
        <p className="text-ink-2">{rejectionWords.meaning}</p>
        <WhatIsSent proposal={proposal} />
        <OthersOfNonce proposal={proposal} isAsked={isOpen} />
        {isElsewhere && !isEnded && <WrongNetwork />}
        <ProgressNotice
          progress={progress}
          what="rejection"
          onRetry={canSend ? transaction.cancel : undefined}
        />
        <div className="flex justify-end gap-2 border-line border-t pt-4">
          <Button look="quiet" onClick={close}>
            {["done", "stopped", "submitted"].includes(at) || isEnded ? "Close" : rejectionWords.keep}
          </Button>
          {(isBusy || (canSend && (at === "idle" || at === "undone"))) && (
            <Button look="danger" isBusy={isBusy} onClick={transaction.cancel}>
              {rejectionWords.reject}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function WhatIsSent({ proposal }: { proposal: Proposal }) {
  return (
    <dl className="space-y-1.5 text-sm">
      <dt className="text-ink-3">{rejectionWords.nonce}</dt>
      <dd className="font-mono text-xs [overflow-wrap:anywhere]">{proposal.nonce}</dd>
      <dt className="text-ink-3">{proposalWords.treasury}</dt>
      <dd>
        <Address isFull address={proposal.treasury} />
      </dd>
    </dl>
  );
}

/** The contract knows nonces, not proposals: whatever else has this one ends, too. */
function OthersOfNonce({ proposal, isAsked }: { proposal: Proposal; isAsked: boolean }) {
  const others = useOthersOfNonce(proposal, isAsked);
  if (others === undefined) return <p className="text-ink-3 text-sm">{rejectionWords.asking}</p>;
  if (others === null) return <p className="text-sm text-warn">{rejectionWords.unknown}</p>;
  if (others.length === 0) return <p className="text-ink-3 text-sm">{rejectionWords.alone}</p>;
  return (
    <div className="text-sm text-warn">
      <p>{rejectionWords.others(others.length)}</p>
      <ul className="mt-1 space-y-1">
        {others.map((id) => (
          <li key={id}>
            <Hash isFull hash={id} what="proposal id" />
          </li>
        ))}
      </ul>
    </div>
  );
}
