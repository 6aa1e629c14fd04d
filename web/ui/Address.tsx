"use client";
import Link from "next/link";
import { shortHex } from "@/lib/format.ts";
import { isSelfChosen, quoted, useNames } from "@/lib/names.ts";
import { useWebConfig } from "@/lib/session.tsx";
import { Copy } from "./Copy.tsx";
import { cx } from "./cx.ts";
import { Icon } from "./Icon.tsx";

/** An account by its name where one is known; the address itself is never far. */
export function Address({
  address,
  name,
  chosenName,
  isFull = false,
  hasCopy = true,
}: {
  address: string;
  /** By the service itself. */
  name?: string | null | undefined;
  /** That the account chose for itself: quoted, and marked as what it is. */
  chosenName?: string | null | undefined;
  isFull?: boolean;
  hasCopy?: boolean;
}) {
  const names = useNames();
  const chosen = name == null && chosenName ? quoted(chosenName) : null;
  const known = name ?? chosen ?? names.get(address.toLowerCase());
  return (
    <span className="inline-flex min-w-0 max-w-full items-center gap-1">
      <Link
        href={`/wallets/${address}`}
        title={known && isSelfChosen(known) ? `${address} (self-chosen name)` : address}
        className="min-w-0 rounded decoration-edge underline-offset-4 hover:underline"
      >
        {known && <span className="mr-1.5">{known}</span>}
        {chosen && <span className="mr-1.5 text-ink-3 text-xs">self-chosen</span>}
        <span
          className={cx(
            "font-mono text-[0.92em]",
            known && "text-ink-3 text-xs",
            isFull && "[overflow-wrap:anywhere]",
          )}
        >
          {isFull ? address : shortHex(address)}
        </span>
      </Link>
      {hasCopy && <Copy text={address} what={known ? `${known}'s address` : "address"} />}
    </span>
  );
}

/** A hash or identifier; leads to the explorer where there is one. */
export function Hash({
  hash,
  what,
  kind = "id",
  isFull = false,
}: {
  hash: string;
  what: string;
  kind?: "id" | "transaction";
  isFull?: boolean;
}) {
  const { explorerUrl } = useWebConfig();
  const text = isFull ? hash : shortHex(hash, 6);
  const look = cx("font-mono text-[0.92em]", isFull && "[overflow-wrap:anywhere]");
  return (
    <span className="inline-flex min-w-0 max-w-full items-center gap-1">
      {kind === "transaction" && explorerUrl ? (
        <a
          href={`${explorerUrl}/tx/${hash}`}
          target="_blank"
          rel="noreferrer"
          title={hash}
          className={cx(look, "inline-flex items-center gap-1 underline-offset-4 hover:underline")}
        >
          {text}
          <Icon name="open" className="size-3" />
          <span className="sr-only">(explorer, new tab)</span>
        </a>
      ) : (
        <span className={look} title={hash}>
          {text}
        </span>
      )}
      <Copy text={hash} what={what} />
    </span>
  );
}
