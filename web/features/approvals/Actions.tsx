"use client";
import { useState } from "react";
import { useBalance, useConnection, useSwitchChain } from "wagmi";
import { useNow } from "@/lib/clock.tsx";
import { useConnectDialog } from "@/lib/connectDialog.tsx";
import { shortHex } from "@/lib/format.ts";
import type { Proposal } from "@/lib/model.ts";
import { useNames } from "@/lib/names.ts";
import { useWebConfig } from "@/lib/session.tsx";
import { Button } from "@/ui/Button.tsx";
import { Dialog } from "@/ui/Dialog.tsx";
import { Notice } from "@/ui/Notice.tsx";
import { Section } from "@/ui/Section.tsx";
import { ProgressNotice } from "./ProgressNotice.tsx";
import { nextStep, standing } from "./rules.ts";
import { SignDialog } from "./SignDialog.tsx";
import { useTransaction } from "./useOwnerActions.ts";

/** What the viewer can do with a proposal; exactly one thing is primary. */
export function Actions({ proposal }: { proposal: Proposal }) {
  const { address, chainId } = useConnection();
  const config = useWebConfig();
  const now = useNow();
  const names = useNames();
  const switchChain = useSwitchChain();
  const dialog = useConnectDialog();
  const mine = standing(proposal, address, now);
  const nameOf = (owner: string) => names.get(owner.toLowerCase()) ?? shortHex(owner);
  const isElsewhere = address !== undefined && chainId !== config.chainId;

  return (
    <Section title="Your decision">
      <div className="space-y-4">
        <p className="text-ink-2">{nextStep(proposal, address, now, nameOf)}</p>
        {mine.isOpen && !address && (
          <div className="grid gap-2">
            <Button look="primary" onClick={dialog.open}>
              Connect an owner's wallet
            </Button>
            {mine.canExecute && <Execution proposal={proposal} isConnected={false} canFinish={false} />}
          </div>
        )}
        {mine.isOpen && isElsewhere && (
          <Notice
            isAlert
            tone="warn"
            title={`Your wallet is on chain ${chainId}`}
            action={
              <Button
                isBusy={switchChain.isPending}
                onClick={() => switchChain.mutate({ chainId: config.chainId })}
              >
                Switch network
              </Button>
            }
          >
            This Treasury lives on chain {config.chainId}.
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
      {!mine.isOwner && (
        <p className="text-ink-3 text-sm">
          The connected account owns no part of this Treasury: it may look, not sign.
        </p>
      )}
      {mine.canSign && (
        <Button look="primary" onClick={() => setSigning(true)}>
          Review and sign
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
    return <ProgressNotice progress={transaction.progress} done="Executed: the transaction is in a block." />;
  return (
    <>
      {isConnected && (
        <Button
          look={canFinish || !hasGas ? "secondary" : "primary"}
          isBusy={isBusy}
          disabled={!hasGas}
          onClick={own}
        >
          {canFinish ? "Approve and execute in one transaction" : "Execute"}
        </Button>
      )}
      {!canFinish && (
        <Button
          look={hasGas ? "secondary" : "primary"}
          isBusy={isBusy}
          onClick={() => transaction.relay(proposal)}
        >
          Let the service execute it
        </Button>
      )}
      {isConnected && !hasGas && (
        <p className="text-ink-3 text-sm">
          This account holds no coin for gas, so the service offers to pay it.
        </p>
      )}
      <ProgressNotice
        progress={transaction.progress}
        done="Executed: the transaction is in a block."
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
        title="Reject this proposal?"
        isOpen={isAsking}
        onClose={() => {
          transaction.reset();
          setAsking(false);
        }}
      >
        <div className="space-y-4">
          <p className="font-medium">{proposal.words}</p>
          <p className="text-ink-2">
            One owner is enough to reject, and it is final: the proposal's number is used up on the chain,
            whoever has signed. Your wallet sends a transaction and pays its gas.
          </p>
          <ProgressNotice progress={transaction.progress} done="Rejected on the chain." onRetry={reject} />
          <div className="flex justify-end gap-2 border-line border-t pt-4">
            <Button look="quiet" onClick={() => setAsking(false)}>
              {transaction.progress.at === "done" ? "Close" : "Keep it"}
            </Button>
            {transaction.progress.at !== "done" && transaction.progress.at !== "failed" && (
              <Button look="danger" isBusy={isBusy} onClick={reject}>
                Reject on the chain
              </Button>
            )}
          </div>
        </div>
      </Dialog>
    </>
  );
}
