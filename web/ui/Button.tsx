import Link from "next/link";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx.ts";

type Look = "primary" | "secondary" | "quiet" | "danger";

const looks: Readonly<Record<Look, string>> = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover shadow-flat",
  secondary: "border border-edge/60 bg-surface text-ink hover:border-edge hover:bg-sunken",
  quiet: "text-ink-2 hover:bg-sunken hover:text-ink",
  danger: "border border-bad/50 bg-surface text-bad hover:bg-bad-soft",
};

/** 36 px high and never smaller than 24 px wide: WCAG 2.2 target size with room to spare. */
const shape =
  "inline-flex min-h-9 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md px-3.5 text-sm font-medium transition-colors disabled:opacity-55 aria-disabled:opacity-55";

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  /** Shows that the work goes on; the button stays focusable but does nothing. */
  isBusy?: boolean;
}

export function Button({
  look = "secondary",
  isBusy = false,
  className,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(shape, looks[look], className)}
      aria-disabled={isBusy || undefined}
      aria-busy={isBusy || undefined}
      onClick={isBusy ? undefined : onClick}
      {...rest}
    >
      {isBusy && <Spinner />}
      {children}
    </button>
  );
}

/** A link that is an action: looks like a button, stays a link. */
export function ButtonLink({
  href,
  look = "secondary",
  children,
}: {
  href: string;
  look?: Look;
  children: ReactNode;
}) {
  return (
    <Link href={href} className={cx(shape, looks[look])}>
      {children}
    </Link>
  );
}

export function Spinner() {
  return (
    <svg aria-hidden="true" viewBox="0 0 16 16" className="size-3.5 animate-spin" fill="none" strokeWidth="2">
      <circle cx="8" cy="8" r="6" stroke="currentColor" opacity="0.25" />
      <path d="M14 8a6 6 0 0 0-6-6" stroke="currentColor" strokeLinecap="round" />
    </svg>
  );
}
