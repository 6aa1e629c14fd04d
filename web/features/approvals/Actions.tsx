"use client";
import { useState } from "react";
import { useBalance, useConnection } from "wagmi";
import { useNow } from "@/lib/clock.tsx";
import { useConnectDialog } from "@/lib/connectDialog.tsx";
import { useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Proposal } from "@/lib/model.ts";
import { useNames } from "@/lib/names.ts";
import { Button } from "@/ui/Button.tsx";
import { Section } from "@/ui/Section.tsx";
import { ProgressNotice } from "./ProgressNotice.tsx";
import { isOnGoneChain, standing } from "./rules.ts";
import { Rejection } from "./signing/Rejection.tsx";
import { Risks } from "./signing/Risks.tsx";
import { SignDialog } from "./signing/SignDialog.tsx";
import { useIsElsewhere, WrongNetwork } from "./signing/WrongNetwork.tsx";
import { useTransaction } from "./useOwnerActions.ts";
import { decisionWords, nextStep, ownerInWords, rejectionWords } from "./words.ts";

type Transaction = ReturnType<typeof useTransaction>;

/** What the viewer can do with a proposal; exactly one thing is primary. */
export function Actions({ proposal }: { proposal: Proposal }) {
  const { address } = useConnection();
  const now = useNow();
  const names = useNames();
  const isGone = isOnGoneChain(proposal, useIsOfEarlierRun());
  const dialog = useConnectDialog();
  const isElsewhere = useIsElsewhere();
  // Kept here, because what came of them is still to be read when the proposal has closed.
  const execution = useTransaction("execution");
  const rejection = useTransaction("rejection");
  const mine = standing(proposal, address, now);
  const nameOf = (owner: string) => ownerInWords(owner, names.get(owner.toLowerCase()));

  return (
    <Section title={decisionWords.title}>
      <div className="space-y-4">
        <p className="text-ink-2">{nextStep(proposal, address, now, nameOf, isGone)}</p>
        {mine.isOpen && <Risks proposal={proposal} />}
        {(mine.isOpen || mine.isLoose) && !address && (
          <div className="grid gap-2">
            <Button look="primary" onClick={dialog.open}>
              {decisionWords.connect}
            </Button>
            {mine.canExecute && (
              <Execution proposal={proposal} transaction={execution} isConnected={false} canFinish={false} />
            )}
          </div>
        )}
        {(mine.isOpen || mine.isLoose) && isElsewhere && <WrongNetwork />}
        {mine.isOpen && address && !isElsewhere && (
          <OwnerActions proposal={proposal} mine={mine} execution={execution} rejection={rejection} />
        )}
        {mine.isLoose && mine.canCancel && !isElsewhere && (
          <div className="grid gap-2">
            <Rejection proposal={proposal} transaction={rejection} />
          </div>
        )}
        {!mine.isOpen && !mine.isLoose && (
          <>
            <ProgressNotice progress={execution.progress} done={decisionWords.executed} />
            <ProgressNotice progress={rejection.progress} done={rejectionWords.done} />
          </>
        )}
      </div>
    </Section>
  );
}

function OwnerActions({
  proposal,
  mine,
  execution,
  rejection,
}: {
  proposal: Proposal;
  mine: ReturnType<typeof standing>;
  execution: Transaction;
  rejection: Transaction;
}) {
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
        <Execution
          proposal={proposal}
          transaction={execution}
          isConnected
          canFinish={mine.canFinish && !mine.canExecute}
        />
      )}
      {mine.canCancel && <Rejection proposal={proposal} transaction={rejection} />}
      <SignDialog proposal={proposal} isOpen={isSigning} onClose={() => setSigning(false)} />
    </div>
  );
}

/** Execute with the connected wallet; or let the service pay the gas. */
function Execution({
  proposal,
  transaction,
  isConnected,
  canFinish,
}: {
  proposal: Proposal;
  transaction: Transaction;
  isConnected: boolean;
  canFinish: boolean;
}) {
  const { address } = useConnection();
  const { data: balance } = useBalance({ address, query: { enabled: isConnected } });
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
