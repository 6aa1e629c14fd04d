import type { ReactNode } from "react";
import { cx } from "./cx.ts";

/** A number worth reading from two metres away, with its name above and what it means below. */
export function Figure({
  label,
  children,
  note,
  size = "md",
}: {
  label: string;
  children: ReactNode;
  note?: ReactNode;
  size?: "md" | "lg";
}) {
  return (
    <div className="min-w-0">
      <dt className="text-ink-3 text-sm">{label}</dt>
      <dd className={cx("mt-0.5 font-medium tracking-[-0.02em]", size === "lg" ? "text-3xl" : "text-xl")}>
        {children}
      </dd>
      {note && <dd className="mt-0.5 text-ink-3 text-sm">{note}</dd>}
    </div>
  );
}

/** Name and value on one line: a statement. */
export function Line({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-0.5 border-line border-b py-2 last:border-0">
      <dt className="text-ink-3 text-sm">{label}</dt>
      <dd className="min-w-0 text-right [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}
