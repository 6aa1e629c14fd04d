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
import { RejectionDialog } from "./signing/Rejection.tsx";
import { RiskNotice, UnreadNotice } from "./signing/Risks.tsx";
import { SignDialog } from "./signing/SignDialog.tsx";
import { useRisks } from "./signing/useRisks.ts";
import { useIsElsewhere, WrongNetwork } from "./signing/WrongNetwork.tsx";
import type { useTransaction } from "./useOwnerActions.ts";
import { decisionWords, nextStep, ownerInWords } from "./words.ts";

type Transaction = ReturnType<typeof useTransaction>;

/** What the viewer can do with a proposal; exactly one thing is primary. */
export function Actions({
  proposal,
  execution,
  rejection,
}: {
  proposal: Proposal;
  execution: Transaction;
  rejection: Transaction;
}) {
  const { address } = useConnection();
  const now = useNow();
  const names = useNames();
  const isGone = isOnGoneChain(proposal, useIsOfEarlierRun());
  const isElsewhere = useIsElsewhere();
  // Open until it is closed, whatever becomes of the proposal or the wallet: what it asked for may still be asked.
  const [opened, setOpened] = useState<"signing" | "rejecting" | null>(null);
  const mine = standing(proposal, address, now);
  const risks = useRisks([proposal], { isAsked: mine.isOpen });
  const nameOf = (owner: string) => ownerInWords(owner, names.get(owner.toLowerCase()));
  const isUnderWay = [execution, rejection].some(({ progress }) => progress.at === "submitted");
  const isUndecided = mine.isOpen || mine.isLoose;
  const canDecide = isUndecided && !isElsewhere && !isUnderWay;
  const close = () => setOpened(null);

  return (
    <Section title={decisionWords.title}>
      <div className="space-y-4">
        <p className="text-ink-2">
          {isUnderWay ? decisionWords.underWay : nextStep(proposal, address, now, nameOf, isGone)}
        </p>
        {mine.isOpen && <RiskNotice proposal={proposal} risks={risks} />}
        {mine.isOpen && <UnreadNotice risks={risks} />}
        {isUndecided && isElsewhere && <WrongNetwork />}
        {canDecide && (
          <Choices
            mine={mine}
            execution={execution}
            mayExecute={risks.mayDecide}
            onSign={() => setOpened("signing")}
            onReject={() => setOpened("rejecting")}
          />
        )}
        <ExecutionNotice transaction={execution} mine={mine} canDecide={canDecide && risks.mayDecide} />
        {opened !== "rejecting" && <ProgressNotice progress={rejection.progress} what="rejection" />}
        <SignDialog proposal={proposal} risks={risks} isOpen={opened === "signing"} onClose={close} />
        <RejectionDialog
          proposal={proposal}
          transaction={rejection}
          isOpen={opened === "rejecting"}
          onClose={close}
        />
      </div>
    </Section>
  );
}

type Standing = ReturnType<typeof standing>;

/** To connect, to sign, to execute, to reject: what the viewer may do now. */
function Choices({
  mine,
  execution,
  mayExecute,
  onSign,
  onReject,
}: {
  mine: Standing;
  execution: Transaction;
  /** Nothing that one should know is unknown, or that is confirmed. To look before signing, and to reject, needs none of it. */
  mayExecute: boolean;
  onSign: () => void;
  onReject: () => void;
}) {
  const { address } = useConnection();
  const dialog = useConnectDialog();
  return (
    <div className="grid gap-2">
      {!address && (
        <Button look="primary" onClick={dialog.open}>
          {decisionWords.connect}
        </Button>
      )}
      {address && !mine.isOwner && <p className="text-ink-3 text-sm">{decisionWords.noOwner}</p>}
      {mine.canSign && (
        <Button look="primary" onClick={onSign}>
          {decisionWords.sign}
        </Button>
      )}
      {(mine.canExecute || mine.canFinish) && (
        <Execution transaction={execution} mine={mine} mayExecute={mayExecute} />
      )}
      {mine.canCancel && (
        <Button look="danger" onClick={onReject}>
          Reject
        </Button>
      )}
    </div>
  );
}

/** The connected wallet holds something to pay gas with. */
function useHasGas(): boolean {
  const { address } = useConnection();
  const { data: balance } = useBalance({ address, query: { enabled: address !== undefined } });
  return address !== undefined && balance?.value !== 0n;
}

/** The viewer's own consent is the last one, and it is given by executing. */
const isFinishing = (mine: Standing): boolean => mine.canFinish && !mine.canExecute;

/** Execute with the connected wallet; or let the service pay the gas. */
function Execution({
  transaction,
  mine,
  mayExecute,
}: {
  transaction: Transaction;
  mine: Standing;
  mayExecute: boolean;
}) {
  const { address } = useConnection();
  const hasGas = useHasGas();
  const canFinish = isFinishing(mine);
  const isConnected = address !== undefined;
  const isBusy = ["checking", "wallet", "service"].includes(transaction.progress.at);
  return (
    <>
      {isConnected && (
        <Button
          look={canFinish || !hasGas ? "secondary" : "primary"}
          isBusy={isBusy}
          disabled={!hasGas || !mayExecute}
          onClick={() => transaction.execute(canFinish)}
        >
          {canFinish ? decisionWords.approveAndExecute : decisionWords.execute}
        </Button>
      )}
      {!canFinish && (
        <Button
          look={hasGas || !isConnected ? "secondary" : "primary"}
          isBusy={isBusy}
          disabled={!mayExecute}
          onClick={() => transaction.relay()}
        >
          {decisionWords.relay}
        </Button>
      )}
      {isConnected && !hasGas && <p className="text-ink-3 text-sm">{decisionWords.noGas}</p>}
    </>
  );
}

/** What became of executing it; to be read also when the proposal has closed. */
function ExecutionNotice({
  transaction,
  mine,
  canDecide,
}: {
  transaction: Transaction;
  mine: Standing;
  canDecide: boolean;
}) {
  const hasGas = useHasGas();
  const again = () => (hasGas ? transaction.execute(isFinishing(mine)) : transaction.relay());
  const canExecute = canDecide && (mine.canExecute || (mine.canFinish && hasGas));
  return (
    <ProgressNotice
      progress={transaction.progress}
      what="execution"
      onRetry={canExecute ? again : undefined}
    />
  );
}
