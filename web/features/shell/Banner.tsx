"use client";
import { localChainId } from "@/lib/config.ts";
import { useWebConfig } from "@/lib/session.tsx";
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
