"use client";
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from "react";
import type { StreamEvent } from "../model.ts";
import { type LiveState, type RatePoint, Stream } from "./stream.ts";

const StreamContext = createContext<Stream | null>(null);

/** Which answers an event makes old. */
const staleBy: Readonly<Record<StreamEvent["type"], readonly string[]>> = {
  payments: ["overview", "payments", "wallets"],
  batch: ["overview", "batches", "batch", "receipt"],
  proposal: ["overview", "proposals", "proposal", "simulation", "wallets", "treasury", "budgets"],
  "channel.closing": ["overview", "channels"],
  block: ["overview"],
};

/** Refetching follows the stream, but no answer is asked for more often than this. */
const refreshEveryMs = 1_500;
const pollEveryMs = 3_000;

/** Opens the live stream and keeps every open question fresh: by events while it lives, by polling while it does not. */
export function LiveProvider({ apiUrl, children }: { apiUrl: string; children: ReactNode }) {
  const [stream] = useState(() => new Stream(apiUrl));
  const queries = useQueryClient();

  useEffect(() => {
    const stale = new Set<string>();
    const refresh = () => {
      for (const key of stale) queries.invalidateQueries({ queryKey: [key] });
      stale.clear();
    };
    const stopListening = stream.onEvent((event) => {
      for (const key of staleBy[event.type]) stale.add(key);
      // A person waits for this one: the next owner's signature, an execution.
      if (event.type === "proposal") refresh();
    });
    const follow = setInterval(refresh, refreshEveryMs);
    const poll = setInterval(() => {
      if (stream.state === "polling") queries.invalidateQueries({ refetchType: "active" });
    }, pollEveryMs);
    stream.open();
    return () => {
      stopListening();
      clearInterval(follow);
      clearInterval(poll);
      stream.close();
    };
  }, [stream, queries]);

  return <StreamContext value={stream}>{children}</StreamContext>;
}

function useStream(): Stream {
  const stream = use(StreamContext);
  if (!stream) throw new Error("a page stands outside LiveProvider");
  return stream;
}

export function useLiveState(): LiveState {
  const stream = useStream();
  return useSyncExternalStore(
    stream.onState,
    () => stream.state,
    () => "connecting" as const,
  );
}

const noPoints: readonly RatePoint[] = [];

/** The payment rate of the last minutes; stands still while `isPaused`. */
export function useRatePoints(isPaused = false): readonly RatePoint[] {
  const stream = useStream();
  const [held, setHeld] = useState<readonly RatePoint[] | null>(null);
  if (isPaused && held === null) setHeld(stream.points);
  if (!isPaused && held !== null) setHeld(null);
  const live = useSyncExternalStore(
    stream.onEvent,
    () => stream.points,
    () => noPoints,
  );
  return isPaused ? (held ?? live) : live;
}
