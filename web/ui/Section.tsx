import Link from "next/link";
import { type ReactNode, useId } from "react";
import { cx } from "./cx.ts";
import { Icon } from "./Icon.tsx";

/** The head of a page: where it hangs, what it is, what one can do with all of it. */
export function PageHead({
  title,
  back,
  children,
  aside,
}: {
  title: ReactNode;
  back?: { href: string; label: string };
  children?: ReactNode;
  aside?: ReactNode;
}) {
  return (
    <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0 max-w-3xl">
        {back && (
          <Link
            href={back.href}
            className="-ml-1 mb-2 inline-flex min-h-6 items-center gap-1 rounded px-1 text-ink-2 text-sm hover:text-ink"
          >
            <Icon name="back" className="size-3.5" />
            {back.label}
          </Link>
        )}
        <h1 className="font-semibold text-2xl tracking-[-0.022em] [overflow-wrap:anywhere]">{title}</h1>
        {children && <div className="mt-1.5 text-ink-2">{children}</div>}
      </div>
      {aside && <div className="flex flex-wrap items-center gap-2">{aside}</div>}
    </header>
  );
}

/** One thing on a page, on its own sheet, under its own heading. */
export function Section({
  title,
  note,
  aside,
  flush = false,
  className,
  children,
}: {
  title: string;
  note?: ReactNode;
  aside?: ReactNode;
  /** Content reaches the edges: tables and lists bring their own padding. */
  flush?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className={cx("flex min-w-0 flex-col rounded-xl border border-line bg-surface shadow-flat", className)}
    >
      <div className="flex min-h-12 flex-wrap items-center justify-between gap-x-4 gap-y-1 border-line border-b px-4 py-2 sm:px-5">
        <div className="flex flex-wrap items-baseline gap-x-2.5">
          <h2 id={id} className="font-semibold text-base tracking-[-0.006em]">
            {title}
          </h2>
          {note && <span className="text-ink-3 text-sm">{note}</span>}
        </div>
        {aside && <div className="flex flex-wrap items-center gap-1.5">{aside}</div>}
      </div>
      <div className={cx("min-w-0 flex-1", !flush && "px-4 py-4 sm:px-5")}>{children}</div>
    </section>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="px-5 py-10 text-center">
      <p className="font-medium text-ink-2">{title}</p>
      {children && <p className="mx-auto mt-1 max-w-md text-balance text-ink-3 text-sm">{children}</p>}
    </div>
  );
}

/** The room that content will take, so that nothing jumps when it comes. */
export function Skeleton({ rows = 3, label }: { rows?: number; label: string }) {
  return (
    <div role="status" aria-busy="true" className="space-y-3 px-5 py-5">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: rows of a placeholder are all alike
          key={row}
          className="h-4 animate-[breathe_1.8s_ease-in-out_infinite] rounded bg-sunken"
          style={{ width: `${92 - ((row * 29) % 45)}%` }}
        />
      ))}
    </div>
  );
}
