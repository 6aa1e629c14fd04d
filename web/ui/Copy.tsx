"use client";
import { useEffect, useState } from "react";
import { useAnnounce } from "@/lib/announcer.tsx";
import { Icon } from "./Icon.tsx";

/** Copies a text; says so to the eye and to the ear. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [isCopied, setCopied] = useState(false);
  const announce = useAnnounce();
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <button
      type="button"
      title={`Copy ${what}`}
      aria-label={`Copy ${what}`}
      className="inline-grid size-6 shrink-0 place-items-center rounded text-ink-3 hover:bg-sunken hover:text-ink"
      onClick={async (event) => {
        event.preventDefault();
        await navigator.clipboard.writeText(text);
        setCopied(true);
        announce(`Copied ${what}`);
      }}
    >
      <Icon name={isCopied ? "check" : "copy"} className={isCopied ? "size-3.5 text-good" : "size-3.5"} />
    </button>
  );
}
