"use client";
import { useQuery } from "@tanstack/react-query";
import { useAheadMs } from "@/lib/clock.tsx";
import { localChainId } from "@/lib/config.ts";
import { treasuryQuery } from "@/lib/queries.ts";
import { useService, useWebConfig } from "@/lib/session.tsx";
import { cx } from "@/ui/cx.ts";
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

const worthSayingMs = 60_000;

/** That a person's own clock would have told another time. */
export function ClockBanner() {
  const aheadMs = useAheadMs();
  if (Math.abs(aheadMs) < worthSayingMs) return null;
  return (
    <p
      role="status"
      className="border-line border-b bg-warn-soft/60 px-4 py-1.5 text-ink-2 text-xs sm:px-6 lg:px-8"
    >
      {bannerWords.clock(aheadMs)}
    </p>
  );
}

/** That the owners have stopped all spending, or that nobody knows whether: no page may be read without it. */
export function PausedBanner() {
  const { data, isError } = useQuery(treasuryQuery(useService()));
  // A pause that was read counts until another answer says that it is over.
  const words = data?.paused ? bannerWords.paused : isError ? bannerWords.pauseUnknown : null;
  if (!words) return null;
  const isBad = words === bannerWords.paused;
  return (
    <p
      role="alert"
      className={cx(
        "flex items-start gap-2 border-b px-4 py-2 text-sm sm:px-6 lg:px-8",
        isBad ? "border-bad/25 bg-bad-soft" : "border-warn/25 bg-warn-soft",
      )}
    >
      <Icon name="alert" className={cx("mt-0.5 size-4 shrink-0", isBad ? "text-bad" : "text-warn")} />
      <span>
        <span className="font-medium">{words.state}</span> {words.end}
      </span>
    </p>
  );
}
