"use client";
import { useNow } from "@/lib/clock.tsx";
import { absoluteText, agoText, leftText, type Urgency, urgency } from "@/lib/time.ts";
import { cx } from "./cx.ts";
import { Icon } from "./Icon.tsx";

/** How long ago; the exact time is in the title. */
export function Ago({ at }: { at: number }) {
  const now = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={absoluteText(at)} className="whitespace-nowrap">
      {agoText(at, now)}
    </time>
  );
}

const inks: Readonly<Record<Urgency, string>> = {
  calm: "text-ink-2",
  soon: "text-ink-2",
  urgent: "text-bad font-medium",
  over: "text-ink-3",
};

/** How much time a deadline leaves, to the second when it matters. */
export function Left({ deadline }: { deadline: number }) {
  const now = useNow();
  return (
    <time
      dateTime={new Date(deadline).toISOString()}
      title={`until ${absoluteText(deadline)}`}
      className={cx("inline-flex items-center gap-1 whitespace-nowrap text-sm", inks[urgency(deadline, now)])}
    >
      <Icon name="clock" className="size-3.5" />
      {leftText(deadline, now)}
    </time>
  );
}
