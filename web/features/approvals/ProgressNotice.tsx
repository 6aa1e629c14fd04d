import { explain, type Failure } from "@/lib/failure.ts";
import { Hash } from "@/ui/Address.tsx";
import { Button, Spinner } from "@/ui/Button.tsx";
import { FailureNotice, Notice, retryWord } from "@/ui/Notice.tsx";
import type { Action, Progress } from "./signing/progress.ts";
import { progressNotices } from "./signing/words.ts";

/** Where a signature or transaction stands: awaiting the wallet, submitted, mined, failed with a way on. */
export function ProgressNotice({
  progress,
  what,
  onRetry,
  tell,
}: {
  progress: Progress;
  what: Action;
  onRetry?: (() => void) | undefined;
  tell?: ((failure: Failure) => string) | undefined;
}) {
  switch (progress.at) {
    case "idle":
      return null;
    case "checking":
      return <Waiting {...progressNotices.checking(what)} />;
    case "wallet":
      return <Waiting {...progressNotices.wallet} />;
    case "stopped": {
      const { title, text } = progressNotices.stopped(progress);
      return (
        <Notice isAlert tone="warn" title={title}>
          {text}
        </Notice>
      );
    }
    case "service":
      return <Waiting {...progressNotices.service} />;
    case "submitted":
      return (
        <Waiting title={progressNotices.submitted.title}>
          {progressNotices.submitted.text(what)} <TransactionHash hash={progress.hash} />
        </Waiting>
      );
    case "done":
      return (
        <Notice tone="good" title={progressNotices.done[what]}>
          {progress.hash && <TransactionHash hash={progress.hash} />}
        </Notice>
      );
    case "undone":
      return (
        <Notice isAlert tone="warn" title={progressNotices.undone.title}>
          {progressNotices.undone.text} <TransactionHash hash={progress.hash} />
        </Notice>
      );
    case "failed":
      return <Failed progress={progress} what={what} onRetry={onRetry} tell={tell} />;
  }
}

function Failed({
  progress,
  what,
  onRetry,
  tell,
}: Omit<Parameters<typeof ProgressNotice>[0], "progress"> & {
  progress: Extract<Progress, { at: "failed" }>;
}) {
  const failure = explain(progress.error);
  // What will be refused again is not asked for again.
  const retry = failure.canRetry ? onRetry : undefined;
  const isUnanswered = failure.isUnsure === true && failure.kind === "unreachable" && failure.canRetry;
  if (isUnanswered && progress.isAnswered) {
    const { title, text } = progressNotices.notSoFar(what);
    return (
      <Notice
        isAlert
        tone="warn"
        title={title}
        action={retry && <Button onClick={retry}>{retryWord(failure)}</Button>}
      >
        {text}
      </Notice>
    );
  }
  return (
    <FailureNotice
      error={progress.error}
      onRetry={retry}
      tell={tell}
      next={isUnanswered ? progressNotices.unsure(what) : undefined}
    />
  );
}

const TransactionHash = ({ hash }: { hash: string }) => (
  <Hash hash={hash} what="transaction hash" kind="transaction" />
);

function Waiting({ title, text, children }: { title: string; text?: string; children?: React.ReactNode }) {
  return (
    <div className="flex items-start gap-3 rounded-lg border border-line bg-sunken/60 px-4 py-3">
      <span className="mt-1 text-accent">
        <Spinner />
      </span>
      <div className="min-w-0">
        <p className="font-medium">{title}</p>
        <div className="text-ink-2 text-sm">{text ?? children}</div>
      </div>
    </div>
  );
}
