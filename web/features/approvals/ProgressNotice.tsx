import type { Failure } from "@/lib/failure.ts";
import { Hash } from "@/ui/Address.tsx";
import { Spinner } from "@/ui/Button.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import type { Progress } from "./rules.ts";
import { progressNotices } from "./signing/words.ts";

/** Where a signature or transaction stands: awaiting the wallet, submitted, mined, failed with a way on. */
export function ProgressNotice({
  progress,
  done,
  onRetry,
  tell,
}: {
  progress: Progress;
  done: string;
  onRetry?: (() => void) | undefined;
  tell?: ((failure: Failure) => string) | undefined;
}) {
  switch (progress.at) {
    case "idle":
      return null;
    case "wallet":
      return <Waiting {...progressNotices.wallet} />;
    case "stopped":
      return (
        <Notice isAlert tone="warn" title={progressNotices.stopped.title}>
          {progressNotices.stopped.text}
        </Notice>
      );
    case "service":
      return <Waiting {...progressNotices.service} />;
    case "submitted":
      return (
        <Waiting {...progressNotices.submitted}>
          <Hash hash={progress.hash} what="transaction hash" kind="transaction" />
        </Waiting>
      );
    case "done":
      return (
        <Notice tone="good" title={done}>
          {progress.hash && <Hash hash={progress.hash} what="transaction hash" kind="transaction" />}
        </Notice>
      );
    case "failed":
      return <FailureNotice error={progress.error} onRetry={onRetry} tell={tell} />;
  }
}

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
