"use client";
import { useState } from "react";
import { useBalance, useConnection, useSwitchChain } from "wagmi";
import { useNow } from "@/lib/clock.tsx";
import { useConnectDialog } from "@/lib/connectDialog.tsx";
import type { Proposal } from "@/lib/model.ts";
import { useNames } from "@/lib/names.ts";
import { useWebConfig } from "@/lib/session.tsx";
import { Button } from "@/ui/Button.tsx";
import { Dialog } from "@/ui/Dialog.tsx";
import { Notice } from "@/ui/Notice.tsx";
import { Section } from "@/ui/Section.tsx";
import { ProgressNotice } from "./ProgressNotice.tsx";
import { standing } from "./rules.ts";
import { SignDialog } from "./SignDialog.tsx";
import { useTransaction } from "./useOwnerActions.ts";
import { decisionWords, nextStep, ownerInWords, rejectionWords } from "./words.ts";

/** What the viewer can do with a proposal; exactly one thing is primary. */
export function Actions({ proposal }: { proposal: Proposal }) {
  const { address, chainId } = useConnection();
  const config = useWebConfig();
  const now = useNow();
  const names = useNames();
  const switchChain = useSwitchChain();
  const dialog = useConnectDialog();
  const mine = standing(proposal, address, now);
  const nameOf = (owner: string) => ownerInWords(owner, names.get(owner.toLowerCase()));
  const isElsewhere = address !== undefined && chainId !== config.chainId;

  return (
    <Section title={decisionWords.title}>
      <div className="space-y-4">
        <p className="text-ink-2">{nextStep(proposal, address, now, nameOf)}</p>
        {mine.isOpen && !address && (
          <div className="grid gap-2">
            <Button look="primary" onClick={dialog.open}>
              {decisionWords.connect}
            </Button>
            {mine.canExecute && <Execution proposal={proposal} isConnected={false} canFinish={false} />}
          </div>
        )}
        {mine.isOpen && isElsewhere && (
          <Notice
            isAlert
            tone="warn"
            title={decisionWords.wrongChain(chainId)}
            action={
              <Button
                isBusy={switchChain.isPending}
                onClick={() => switchChain.mutate({ chainId: config.chainId })}
              >
                {decisionWords.switchChain}
              </Button>
            }
          >
            {decisionWords.rightChain(config.chainId)}
          </Notice>
        )}
        {mine.isOpen && address && !isElsewhere && <OwnerActions proposal={proposal} mine={mine} />}
      </div>
    </Section>
  );
}

function OwnerActions({ proposal, mine }: { proposal: Proposal; mine: ReturnType<typeof standing> }) {
  const [isSigning, setSigning] = useState(false);
  return (
    <div className="grid gap-2">
      {!mine.isOwner && <p className="text-ink-3 text-sm">{decisionWords.noOwner}</p>}
      {mine.canSign && (
        <Button look="primary" onClick={() => setSigning(true)}>
          {decisionWords.sign}
        </Button>
      )}
      {(mine.canExecute || mine.canFinish) && (
        <Execution proposal={proposal} isConnected canFinish={mine.canFinish && !mine.canExecute} />
      )}
      {mine.canCancel && <Rejection proposal={proposal} />}
      <SignDialog proposal={proposal} isOpen={isSigning} onClose={() => setSigning(false)} />
    </div>
  );
}

/** Execute with the connected wallet; or let the service pay the gas. */
function Execution({
  proposal,
  isConnected,
  canFinish,
}: {
  proposal: Proposal;
  isConnected: boolean;
  canFinish: boolean;
}) {
  const { address } = useConnection();
  const { data: balance } = useBalance({ address, query: { enabled: isConnected } });
  const transaction = useTransaction("execution");
  const isBusy = ["wallet", "service", "submitted"].includes(transaction.progress.at);
  const hasGas = isConnected && balance?.value !== 0n;
  const own = () => transaction.execute(proposal, canFinish);
  // What is done is not offered again while the service has yet to hear of it.
  if (transaction.progress.at === "done")
    return <ProgressNotice progress={transaction.progress} done={decisionWords.executed} />;
  return (
    <>
      {isConnected && (
        <Button
          look={canFinish || !hasGas ? "secondary" : "primary"}
          isBusy={isBusy}
          disabled={!hasGas}
          onClick={own}
        >
          {canFinish ? decisionWords.approveAndExecute : decisionWords.execute}
        </Button>
      )}
      {!canFinish && (
        <Button
          look={hasGas ? "secondary" : "primary"}
          isBusy={isBusy}
          onClick={() => transaction.relay(proposal)}
        >
          {decisionWords.relay}
        </Button>
      )}
      {isConnected && !hasGas && <p className="text-ink-3 text-sm">{decisionWords.noGas}</p>}
      <ProgressNotice
        progress={transaction.progress}
        done={decisionWords.executed}
        onRetry={hasGas ? own : () => transaction.relay(proposal)}
      />
    </>
  );
}

function Rejection({ proposal }: { proposal: Proposal }) {
  const [isAsking, setAsking] = useState(false);
  const transaction = useTransaction("rejection");
  const isBusy = transaction.progress.at === "wallet" || transaction.progress.at === "submitted";
  const reject = () => transaction.cancel(proposal);
  return (
    <>
      <Button look="danger" onClick={() => setAsking(true)}>
        Reject
      </Button>
      <Dialog
        size="sm"
        title={rejectionWords.ask}
        isOpen={isAsking}
        onClose={() => {
          transaction.reset();
          setAsking(false);
        }}
      >
        <div className="space-y-4">
          <p className="font-medium [overflow-wrap:anywhere]">{proposal.words}</p>
          <p className="text-ink-2">{rejectionWords.meaning}</p>
          <ProgressNotice progress={transaction.progress} done={rejectionWords.done} onRetry={reject} />
          <div className="flex justify-end gap-2 border-line border-t pt-4">
            <Button look="quiet" onClick={() => setAsking(false)}>
              {transaction.progress.at === "done" ? "Close" : rejectionWords.keep}
            </Button>
            {transaction.progress.at !== "done" && transaction.progress.at !== "failed" && (
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
