"use client";
import { useQuery } from "@tanstack/react-query";
import { localChainId } from "@/lib/config.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService, useWebConfig } from "@/lib/session.tsx";
import { bannerWords } from "./words.ts";

/** What is not real here: a local chain's money, a stand-in's answers. */
export function Banner() {
  const { chainId } = useWebConfig();
  const { data } = useQuery(overviewQuery(useService()));
  const standIns = data?.standIns ?? [];
  if (chainId !== localChainId && standIns.length === 0) return null;
  return (
    <section
      aria-label={bannerWords.label}
      className="border-line border-b bg-warn-soft/60 px-4 py-1.5 text-ink-2 text-xs sm:px-6 lg:px-8"
    >
      {chainId === localChainId && `${bannerWords.localChain} `}
      {standIns.length > 0 && bannerWords.standIns(standIns)}
    </section>
  );
}
