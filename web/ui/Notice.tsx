import type { ReactNode } from "react";
import { backWords, explain, type Failure } from "@/lib/failure.ts";
import { Button, ButtonLink } from "./Button.tsx";
import { cx } from "./cx.ts";
import { Icon, type IconName } from "./Icon.tsx";

type NoticeTone = "info" | "warn" | "bad" | "good";

const tones: Readonly<Record<NoticeTone, { box: string; mark: string; icon: IconName }>> = {
  info: { box: "border-info/25 bg-info-soft/60", mark: "text-info", icon: "alert" },
  warn: { box: "border-warn/25 bg-warn-soft/70", mark: "text-warn", icon: "alert" },
  bad: { box: "border-bad/25 bg-bad-soft/60", mark: "text-bad", icon: "alert" },
  good: { box: "border-good/25 bg-good-soft/60", mark: "text-good", icon: "check" },
};

interface NoticeProps {
  tone?: NoticeTone;
  icon?: IconName;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** Speaks up at once when it appears. */
  isAlert?: boolean;
}

export function Notice({ tone = "info", icon, title, children, action, isAlert = false }: NoticeProps) {
  const { box, mark, icon: usual } = tones[tone];
  return (
    <div
      role={isAlert ? "alert" : undefined}
      className={cx("flex flex-wrap items-start gap-x-3 gap-y-2 rounded-lg border px-4 py-3", box)}
    >
      <span className={cx("mt-0.5", mark)}>
        <Icon name={icon ?? usual} />
      </span>
      <div className="min-w-0 flex-1 basis-56">
        <p className="font-medium">{title}</p>
        {children && <div className="mt-0.5 text-ink-2 text-sm [overflow-wrap:anywhere]">{children}</div>}
      </div>
      {action}
    </div>
  );
}

/** An error as a person needs it: what happened, the other side's words, what to do next. */
export function FailureNotice({
  error,
  onRetry,
  back,
  tell = ({ detail }) => detail,
  next,
}: {
  error: unknown;
  onRetry?: (() => void) | undefined;
  /** What happened, where more did than the failure knows. */
  tell?: ((failure: Failure) => string) | undefined;
  /** What to do next, where whoever asked knows better. */
  next?: string | undefined;
  /** The list that it would be in: where to go when there is no such thing. */
  back?: { href: string; label: string };
}) {
  const failure = explain(error);
  // To ask again for what is not known helps nobody.
  const isMissing = failure.kind === "missing";
  const retry = onRetry && !isMissing && <Button onClick={onRetry}>{retryWord(failure)}</Button>;
  return (
    <Notice
      isAlert
      tone={failure.kind === "declined" || failure.kind === "missing" ? "warn" : "bad"}
      title={failure.title}
      action={isMissing && back ? <ButtonLink href={back.href}>{backWords(back.label)}</ButtonLink> : retry}
    >
      <p>{tell(failure)}</p>
      <p>{next ?? failure.next}</p>
      {failure.code && <p className="mt-1 font-mono text-ink-3 text-xs">{failure.code}</p>}
    </Notice>
  );
}

export const retryWord = (failure: Failure): string =>
  failure.kind === "declined" ? "Ask again" : "Try again";
