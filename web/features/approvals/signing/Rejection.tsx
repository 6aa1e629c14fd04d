"use client";
import { useState } from "react";
import type { Proposal } from "@/lib/model.ts";
import { Address, Hash } from "@/ui/Address.tsx";
import { Button } from "@/ui/Button.tsx";
import { Dialog } from "@/ui/Dialog.tsx";
import { ProgressNotice } from "../ProgressNotice.tsx";
import { useOthersOfNonce } from "../reading/useOpened.ts";
import type { useTransaction } from "../useOwnerActions.ts";
import { proposalWords } from "../words.ts";
import { rejectionWords } from "./words.ts";

/** One owner's own transaction, which uses up the proposal's nonce: what that ends is told before it is sent. */
export function Rejection({
  proposal,
  transaction,
}: {
  proposal: Proposal;
  transaction: ReturnType<typeof useTransaction>;
}) {
  const [isAsking, setAsking] = useState(false);
  const { at } = transaction.progress;
  const isBusy = at === "wallet" || at === "submitted";
  // What failed is forgotten: who opens it again decides anew.
  const close = () => {
    if (!transaction.leave()) setAsking(false);
  };
  const reject = () => transaction.cancel(proposal);
  return (
    <>
      <Button look="danger" onClick={() => setAsking(true)}>
        Reject
      </Button>
      <Dialog size="sm" title={rejectionWords.ask} isOpen={isAsking} onClose={close}>
        <div className="space-y-4">
          <p className="font-medium [overflow-wrap:anywhere]">{proposal.words}</p>
          <p className="text-ink-2">{rejectionWords.meaning}</p>
          <WhatIsSent proposal={proposal} />
          <OthersOfNonce proposal={proposal} isAsked={isAsking} />
          <ProgressNotice progress={transaction.progress} done={rejectionWords.done} onRetry={reject} />
          <div className="flex justify-end gap-2 border-line border-t pt-4">
            <Button look="quiet" onClick={close}>
              {at === "done" || at === "stopped" ? "Close" : rejectionWords.keep}
            </Button>
            {(at === "idle" || isBusy) && (
              <Button look="danger" isBusy={isBusy} onClick={reject}>
                {rejectionWords.reject}
              </Button>
            )}
          </div>
        </div>
      </Dialog>
    </>
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
