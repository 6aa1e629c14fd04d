"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { cx } from "@/ui/cx.ts";
import { Icon, type IconName } from "@/ui/Icon.tsx";

const rooms: readonly { href: string; label: string; icon: IconName; also?: string }[] = [
  { href: "/", label: "Overview", icon: "overview" },
  { href: "/approvals", label: "Approvals", icon: "pen" },
  { href: "/payments", label: "Payments", icon: "stream", also: "/batches" },
  { href: "/wallets", label: "Wallets", icon: "wallet" },
  { href: "/solvency", label: "Solvency", icon: "scales" },
];

export function Navigation({ isRow = false }: { isRow?: boolean }) {
  const path = usePathname();
  const { data } = useQuery(overviewQuery(useService()));
  const waiting = data?.proposals.waiting ?? 0;
  return (
    <nav aria-label="Pages">
      <ul className={isRow ? "flex" : "mt-6 space-y-0.5"}>
        {rooms.map(({ href, label, icon, also }) => {
          const isHere =
            href === "/" ? path === "/" : path.startsWith(href) || (also && path.startsWith(also));
          const count = href === "/approvals" && waiting > 0 ? waiting : null;
          return (
            <li key={href}>
              <Link
                href={href}
                aria-current={isHere ? "page" : undefined}
                className={cx(
                  "flex items-center gap-2.5 text-sm",
                  isRow ? "min-h-10 border-b-2 px-2 sm:px-3" : "min-h-9 rounded-md px-2",
                  isHere && isRow && "border-accent font-medium text-ink",
                  isHere && !isRow && "bg-sunken font-medium text-ink",
                  !isHere && "text-ink-2 hover:text-ink",
                  !isHere && (isRow ? "border-transparent" : "hover:bg-sunken/60"),
                )}
              >
                <Icon
                  name={icon}
                  className={cx("size-4", isRow && "hidden sm:block", isHere ? "text-accent" : "text-ink-3")}
                />
                {label}
                {/* In a row the others would move when the number comes. */}
                {count === null && isRow && href === "/approvals" && (
                  <span className="invisible rounded-full px-1.5 text-xs">0</span>
                )}
                {count !== null && (
                  <span
                    className={cx(
                      "rounded-full bg-accent px-1.5 text-center font-medium text-on-accent text-xs",
                      !isRow && "ml-auto",
                    )}
                  >
                    {count}
                    <span className="sr-only"> waiting</span>
                  </span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

export function Brand({ isShort = false }: { isShort?: boolean }) {
  return (
    <Link
      href="/"
      className="flex min-h-8 w-fit items-center gap-2.5 rounded-md px-1.5"
      aria-label="Bursar, overview"
    >
      <svg aria-hidden="true" viewBox="0 0 32 32" className="size-6 shrink-0">
        <rect width="32" height="32" rx="8" className="fill-accent" />
        <path d="M10 7h6.5a4.5 4.5 0 0 1 0 9H10z" className="fill-on-accent" />
        <path d="M10 17h8a4 4 0 0 1 0 8h-8z" className="fill-on-accent" opacity="0.6" />
      </svg>
      <span className={cx("font-semibold text-lg tracking-[-0.025em]", isShort && "hidden sm:inline")}>
        Bursar
      </span>
    </Link>
  );
}
