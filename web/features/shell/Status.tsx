"use client";
import { useQuery } from "@tanstack/react-query";
import { useNow } from "@/lib/clock.tsx";
import { freshness } from "@/lib/live/freshness.ts";
import { useHearing } from "@/lib/live/hearing.ts";
import { useLiveState } from "@/lib/live/live.tsx";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { cx } from "@/ui/cx.ts";

/** How fresh the page is: "Indexed to block 1,204, 3 s ago", and whether events or polling keep it so. */
export function Status() {
  const overview = useQuery(overviewQuery(useService()));
  const now = useNow();
  const live = useLiveState();
  const hearing = useHearing();
  const state = freshness(overview.data?.chain, { ...hearing, isLost: overview.isError }, live, now);
  return (
    <p className="flex min-w-0 items-center gap-2 text-ink-2 text-sm" title={state.title}>
      <span
        aria-hidden="true"
        className={cx(
          "size-2 shrink-0 rounded-full",
          { fresh: "bg-good", waiting: "bg-edge", stale: "bg-warn", lost: "bg-bad" }[state.level],
          state.level === "fresh" && "motion-safe:animate-[breathe_2.4s_ease-in-out_infinite]",
        )}
      />
      {/* That there is no answer is never cut short. */}
      <span className={state.level === "lost" ? "[overflow-wrap:anywhere]" : "truncate"}>
        <span className="hidden sm:inline">{state.lead}</span>
        {state.words}
      </span>
    </p>
  );
}
