import type { ReactNode } from "react";
import { cx } from "./cx.ts";
import { Icon } from "./Icon.tsx";

/** How full something is against its limit; the words carry the figures, the bar only shows them. */
export function Meter({
  label,
  value,
  words,
  tone = "accent",
  mark,
}: {
  label: string;
  /** 0 to 1. */
  value: number;
  words: ReactNode;
  tone?: "accent" | "warn" | "bad";
  mark?: string | undefined;
}) {
  const percent = Math.round(value * 1000) / 10;
  const fill = { accent: "bg-accent", warn: "bg-warn", bad: "bg-bad" }[tone];
  return (
    <div>
      <div className="mb-1.5 flex flex-wrap items-baseline justify-between gap-x-4 text-sm">
        <span className="text-ink-3">{label}</span>
        <span className="text-ink-2">{words}</span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a <meter> cannot be styled alike in all browsers */}
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={`${percent} %${mark ? `, ${mark}` : ""}`}
        className="h-1.5 overflow-hidden rounded-full bg-sunken ring-1 ring-line ring-inset"
      >
        <div
          className={cx("h-full rounded-full transition-[width] duration-500", fill)}
          style={{ width: `${percent}%` }}
        />
      </div>
    </div>
  );
}

/** n of m as ticks: each owner's consent is one. */
export function Ticks({ done, total }: { done: number; total: number }) {
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <span aria-hidden="true" className="inline-flex gap-1">
        {Array.from({ length: total }, (_, index) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: ticks have no identity but their place
            key={index}
            className={cx(
              "grid size-4 place-items-center rounded-full",
              index < done ? "bg-accent text-on-accent" : "border border-edge/70 border-dashed",
            )}
          >
            {index < done && <Icon name="check" className="size-2.5" />}
          </span>
        ))}
      </span>
      <span className="text-ink-2 text-sm">
        {done} of {total} signed
      </span>
    </span>
  );
}
