"use client";
import { useQuery } from "@tanstack/react-query";
import { localChainId } from "@/lib/config.ts";
import { treasuryQuery } from "@/lib/queries.ts";
import { useService, useWebConfig } from "@/lib/session.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { bannerWords } from "./words.ts";

/** What is not real here: a local chain's money. */
export function Banner() {
  const { chainId } = useWebConfig();
  if (chainId !== localChainId) return null;
  return (
    <section
      aria-label={bannerWords.label}
      className="border-line border-b bg-warn-soft/60 px-4 py-1.5 text-ink-2 text-xs sm:px-6 lg:px-8"
    >
      {bannerWords.localChain}
    </section>
  );
}

/** That the owners have stopped all spending: no page may be read without it. */
export function PausedBanner() {
  const { data } = useQuery(treasuryQuery(useService()));
  if (!data?.paused) return null;
  return (
    <p
      role="alert"
      className="flex items-start gap-2 border-bad/25 border-b bg-bad-soft px-4 py-2 text-sm sm:px-6 lg:px-8"
    >
      <Icon name="alert" className="mt-0.5 size-4 shrink-0 text-bad" />
      <span>
        <span className="font-medium">{bannerWords.paused.state}</span> {bannerWords.paused.end}
      </span>
    </p>
  );
}
