"use client";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useConnection } from "wagmi";
import { useAnnounce } from "@/lib/announcer.tsx";
import { useNow } from "@/lib/clock.tsx";
import { useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Proposal } from "@/lib/model.ts";
import { proposalQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { standing } from "../rules.ts";
import { type Action, endOf, heard, type Progress, type Stop } from "./progress.ts";
import { useIsElsewhere } from "./WrongNetwork.tsx";
import { progressWords } from "./words.ts";

/** Progress of one action, announced as it moves. */
export function useProgress(what: Action) {
  const [progress, setProgress] = useState<Progress>({ at: "idle" });
  const latest = useRef<Progress>(progress);
  const announce = useAnnounce();
  const move = useCallback(
    (next: Progress) => {
      const before = latest.current;
      latest.current = next;
      setProgress(next);
      // The same, of which only more is known, is not said twice.
      if (before.at !== next.at || next.at === "failed") announce(progressWords(next, what));
    },
    [announce, what],
  );
  const current = useCallback((): Progress => latest.current, []);
  /** What closing its dialog does; true if the dialog has to say first that the wallet still asks. */
  const leave = (): boolean => {
    const { at } = latest.current;
    if (at === "wallet") move({ at: "stopped", why: "closed", isAsked: true });
    // What was sent goes its way, and is told when it is done.
    else if (at !== "submitted") move({ at: "idle" });
    return at === "wallet";
  };
  return { progress, current, move, leave };
}

/** Counts beginnings and ends: a run whose number has passed is over. */
export function useLatestRun() {
  const newest = useRef(0);
  const isClosed = useRef(false);
  useEffect(() => {
    isClosed.current = false;
    return () => {
      isClosed.current = true;
      newest.current += 1;
    };
  }, []);
  return {
    /** Ends what was begun before; gives whether this one is over. */
    begin(): () => boolean {
      newest.current += 1;
      const mine = newest.current;
      return () => newest.current !== mine;
    },
    end(): void {
      newest.current += 1;
    },
    /** The page is gone. */
    isClosed: (): boolean => isClosed.current,
  };
}

/** Lets the service's word about the proposal answer what was open. */
export function useAnswer(
  progress: Progress,
  { what, proposal, move }: { what: Action; proposal: Proposal; move: (next: Progress) => void },
): void {
  const { address } = useConnection();
  const { dataUpdatedAt: at } = useQuery(proposalQuery(useService(), proposal.proposalId));
  const isGone = useIsOfEarlierRun()(proposal.openedAt);
  const { hasSigned } = standing(proposal, address, 0);
  useEffect(() => {
    const next = heard(progress, what, { proposal, at, hasSigned, isGone });
    if (next !== progress) move(next);
  }, [progress, what, proposal, at, hasSigned, isGone, move]);
}

/** Stops asking when the proposal has ended meanwhile, or the wallet is elsewhere. */
export function useHalt(
  { at }: Progress,
  {
    proposal,
    halt,
    what = "signature",
    isShown = true,
  }: { proposal: Proposal; halt: (why: Stop) => void; what?: Action; isShown?: boolean },
): void {
  const now = useNow();
  const { address } = useConnection();
  const isElsewhere = useIsElsewhere();
  const end = endOf(proposal, now, what);
  const wallet: Stop | null = isElsewhere ? "network" : address === undefined ? "account" : null;
  // A network can be changed back: only what the wallet was asked for is stopped.
  const why = end ?? (at === "wallet" ? wallet : null);
  const isNow = isShown && why !== null && ["idle", "checking", "wallet"].includes(at);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `halt` is another function each time
  useEffect(() => {
    if (isNow && why) halt(why);
  }, [isNow, why, at]);
}
