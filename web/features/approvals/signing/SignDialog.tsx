"use client";
import { useEffect, useRef, useState } from "react";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import type { Proposal } from "@/lib/model.ts";
import { Button } from "@/ui/Button.tsx";
import { Copy } from "@/ui/Copy.tsx";
import { cx } from "@/ui/cx.ts";
import { Dialog } from "@/ui/Dialog.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { ProposalSummary } from "../Calls.tsx";
import { ProgressNotice } from "../ProgressNotice.tsx";
import { useComparison } from "../reading/useComparison.ts";
import { useTreasury } from "../reading/useTreasury.ts";
import { isAsShown, proposalHashes } from "../treasury.ts";
import { useSign } from "../useOwnerActions.ts";
import type { Progress } from "./progress.ts";
import { RiskNotice, UnreadNotice } from "./Risks.tsx";
import { useAnswer, useHalt } from "./useProgress.ts";
import type { Risks } from "./useRisks.ts";
import { useIsElsewhere, WrongNetwork } from "./WrongNetwork.tsx";
import { checkedWords, compareWords, differenceWords, signWords } from "./words.ts";

/** Signing in three steps: what it does, that the wallet will show the same, then the wallet. */
export function SignDialog({
  proposal,
  risks,
  isOpen,
  onClose,
}: {
  proposal: Proposal;
  risks: Risks;
  isOpen: boolean;
  onClose: () => void;
}) {
  const [step, setStep] = useState(0);
  const sign = useSign();
  useAnswer(sign.progress, { what: "signature", proposal, move: sign.move });
  useHalt(sign.progress, { proposal, halt: sign.halt, isShown: isOpen });
  const isElsewhere = useIsElsewhere();
  const { at } = sign.progress;
  const isOver = at === "done" || at === "stopped";
  const close = () => {
    if (sign.stop()) return;
    setStep(0);
    onClose();
  };
  const start = () => sign.run([proposal]);
  const back = () => {
    sign.stop();
    setStep(step - 1);
  };
  const shown = at === "done" ? signWords.steps.length : step;
  return (
    <Dialog title={signWords.title} note={<Steps step={shown} />} isOpen={isOpen} onClose={close}>
      <div className="space-y-4">
        <StepHeading step={shown} />
        {step === 0 && <Review proposal={proposal} />}
        {step === 1 && <Compare proposal={proposal} />}
        {step === 2 && at === "idle" && <p className="text-ink-2">{signWords.meaning}</p>}
        <ProgressNotice
          progress={sign.progress}
          what="signature"
          onRetry={isElsewhere || !risks.mayDecide ? undefined : start}
        />
        {!isOver && isElsewhere && <WrongNetwork />}
        {!isOver && <RiskNotice proposal={proposal} risks={risks} />}
        {!isOver && <UnreadNotice risks={risks} />}
        <Buttons
          proposal={proposal}
          step={step}
          at={at}
          maySign={risks.mayDecide}
          onStep={setStep}
          onBack={back}
          onSign={start}
          onClose={close}
        />
      </div>
    </Dialog>
  );
}

/** To the next step and back, and at the last one to the wallet. */
function Buttons({
  proposal,
  step,
  at,
  maySign,
  onStep,
  onBack,
  onSign,
  onClose,
}: {
  proposal: Proposal;
  step: number;
  at: Progress["at"];
  maySign: boolean;
  onStep: (step: number) => void;
  onBack: () => void;
  onSign: () => void;
  onClose: () => void;
}) {
  const isElsewhere = useIsElsewhere();
  const isOver = at === "done" || at === "stopped";
  return (
    <div className="flex flex-wrap justify-end gap-2 border-line border-t pt-4">
      {isOver && (
        <Button look="primary" onClick={onClose}>
          Close
        </Button>
      )}
      {!isOver && step > 0 && (
        <Button look="quiet" onClick={onBack} disabled={at === "wallet" || at === "service"}>
          Back
        </Button>
      )}
      {!isOver && step === 0 && (
        <Button look="primary" onClick={() => onStep(1)}>
          {signWords.next}
        </Button>
      )}
      {!isOver && step === 1 && <CompareNext proposal={proposal} onNext={() => onStep(2)} />}
      {!isOver && step === 2 && at !== "failed" && !(at === "idle" && isElsewhere) && (
        <Button look="primary" isBusy={at !== "idle"} disabled={at === "idle" && !maySign} onClick={onSign}>
          {signWords.sign}
        </Button>
      )}
    </div>
  );
}

/** Takes the focus when a step has followed another: the button that was pressed is gone. */
function StepHeading({ step }: { step: number }) {
  const ref = useRef<HTMLHeadingElement>(null);
  const before = useRef(step);
  useEffect(() => {
    if (before.current !== step) ref.current?.focus();
    before.current = step;
  }, [step]);
  return (
    <h3 ref={ref} tabIndex={-1} className="font-medium outline-none">
      {signWords.headings[step]}
    </h3>
  );
}

function Steps({ step }: { step: number }) {
  return (
    <ol className="mt-1 flex flex-wrap items-center gap-x-3 text-sm">
      {signWords.steps.map((name, index) => (
        <li
          key={name}
          aria-current={index === step ? "step" : undefined}
          className={cx(
            "inline-flex items-center gap-1.5",
            index === step ? "font-medium text-ink" : "text-ink-3",
          )}
        >
          {index < step ? <Icon name="check" className="size-3.5 text-accent" /> : <span>{index + 1}.</span>}
          {name}
        </li>
      ))}
    </ol>
  );
}

function Review({ proposal }: { proposal: Proposal }) {
  return (
    <div className="space-y-3">
      <ProposalSummary proposal={proposal} />
      <p className="text-ink-3 text-sm">{signWords.validity}</p>
    </div>
  );
}

function useHashes(proposal: Proposal) {
  const treasury = useTreasury();
  const hashes = treasury && proposalHashes(typedProposal(proposal, treasury));
  return { hashes, isEqual: hashes !== null && isAsShown(proposal, treasury, hashes.digest) };
}

function Compare({ proposal }: { proposal: Proposal }) {
  const { hashes, isEqual } = useHashes(proposal);
  if (!hashes) return <p className="text-ink-2">{compareWords.loading}</p>;
  return (
    <div className="space-y-4">
      {isEqual ? (
        <ReadingNotice proposal={proposal} />
      ) : (
        <Notice isAlert tone="bad" title={compareWords.different.title}>
          {compareWords.different.text}
        </Notice>
      )}
      <dl className="space-y-3">
        <HashLine name="EIP-712 hash" hash={hashes.digest} isMain />
        <HashLine name="Domain hash" hash={hashes.domain} />
        <HashLine name="Message hash" hash={hashes.message} />
      </dl>
    </div>
  );
}

/** What this page checked of the signed data, and what it could not. */
function ReadingNotice({ proposal }: { proposal: Proposal }) {
  const { data, error, refetch } = useComparison(proposal);
  if (!data)
    return error ? (
      <FailureNotice error={error} onRetry={() => refetch()} />
    ) : (
      <p className="text-ink-2">{compareWords.reading}</p>
    );
  if (data.differences.length > 0)
    return (
      <Notice isAlert tone="bad" title={compareWords.lying}>
        {data.differences.map((one) => (
          <p key={differenceWords(one)}>{differenceWords(one)}</p>
        ))}
        <p>{compareWords.different.text}</p>
      </Notice>
    );
  const { checked, unchecked } = checkedWords(data);
  const isWhole = data.unread.length === 0;
  return (
    <Notice tone={isWhole ? "good" : "warn"} title={isWhole ? compareWords.equal.title : compareWords.partly}>
      <p>{compareWords.checked}</p>
      <ul className="ml-4 list-disc">
        {checked.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
      <p className="mt-1.5">{compareWords.unchecked}</p>
      <ul className="ml-4 list-disc">
        {unchecked.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
      <p className="mt-1.5">{compareWords.equal.text}</p>
    </Notice>
  );
}

function CompareNext({ proposal, onNext }: { proposal: Proposal; onNext: () => void }) {
  const { isEqual } = useHashes(proposal);
  const { data } = useComparison(proposal);
  return (
    <Button look="primary" disabled={!isEqual || data?.differences.length !== 0} onClick={onNext}>
      {signWords.agree}
    </Button>
  );
}

/** Groups of four bytes: what an eye can compare. */
function HashLine({ name, hash, isMain = false }: { name: string; hash: string; isMain?: boolean }) {
  const groups = hash.slice(2).match(/.{8}/g) ?? [];
  return (
    <div>
      <dt className="flex items-center gap-1 text-ink-3 text-sm">
        {name}
        <Copy text={hash} what={name} />
      </dt>
      <dd className={cx("font-mono", isMain ? "text-base" : "text-ink-2 text-xs")}>
        <span className="sr-only">{hash}</span>
        <span aria-hidden="true" className="flex flex-wrap gap-x-2">
          {groups.map((group, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a group is its place in the hash
            <span key={`${index}${group}`}>{index === 0 ? `0x${group}` : group}</span>
          ))}
        </span>
      </dd>
    </div>
  );
}
