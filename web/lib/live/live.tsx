"use client";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from "react";
import type { Overview, StreamEvent } from "../model.ts";
import { isSilent } from "./freshness.ts";
import { heard } from "./heard.ts";
import { watchedSince } from "./hearing.ts";
import { type LiveState, type RatePoint, Stream } from "./stream.ts";

const StreamContext = createContext<Stream | null>(null);

/** Which answers an event makes old. */
const staleBy: Readonly<Record<StreamEvent["type"], readonly string[]>> = {
  payments: ["overview", "payments", "wallets", "batches", "batch", "channels"],
  batch: ["overview", "batches", "batch", "receipt", "channels"],
  proposal: ["overview", "proposals", "proposal", "simulation", "wallets", "treasury", "budgets"],
  "channel.closing": ["overview", "channels"],
  // A freeze, a pause or a claim by anybody is told by no event of its own: it is in some block.
  block: ["overview", "budgets", "treasury", "wallets", "channels", "simulation"],
};

/** Each is read from the chain: asked for less often, and by no page that nobody looks at. */
const readFromChain: ReadonlySet<string> = new Set(["budgets", "treasury", "simulation"]);

/** Refetching follows the stream, but no answer is asked for more often than this. */
const refreshEveryMs = 1_500;
const readChainEveryMs = 3_000;
const pollEveryMs = 3_000;
const listenEveryMs = 1_000;

/** Opens the live stream and keeps every open question fresh: by events while it lives, by polling while it does not. */
export function LiveProvider({ apiUrl, children }: { apiUrl: string; children: ReactNode }) {
  const [stream] = useState(() => new Stream(apiUrl));
  const queries = useQueryClient();

  useEffect(() => keepFresh(stream, queries), [stream, queries]);

  return <StreamContext value={stream}>{children}</StreamContext>;
}

/** Follows the stream until the function that it gives back is called. */
export function keepFresh(stream: Stream, queries: QueryClient): () => void {
  const stale = new Set<string>();
  const refresh = (isOfChain = false) => {
    for (const key of stale) {
      if (isOfChain !== readFromChain.has(key)) continue;
      // One that is under way is awaited, and asked again: a slow answer that is always begun anew never comes.
      if (queries.isFetching({ queryKey: [key] }) > 0) continue;
      stale.delete(key);
      void queries.invalidateQueries({ queryKey: [key] });
    }
  };
  const stops = [
    stream.onEvent((event) => {
      for (const key of staleBy[event.type]) stale.add(key);
      // A person waits for this one: the next owner's signature, an execution.
      if (event.type !== "proposal") return;
      refresh();
      refresh(true);
    }),
    // What happened while it was closed was told to nobody.
    stream.onState(() => {
      if (stream.state === "live") void queries.invalidateQueries();
    }),
    onOtherRun(queries, () => void queries.invalidateQueries()),
    every(refreshEveryMs, () => refresh()),
    every(readChainEveryMs, () => {
      if (document.visibilityState === "visible") refresh(true);
    }),
    every(pollEveryMs, () => {
      if (stream.state !== "polling") return;
      void queries.invalidateQueries({ refetchType: "active" }, { cancelRefetch: false });
    }),
    every(listenEveryMs, () => {
      const answeredAt = Math.max(queries.getQueryState(["overview"])?.dataUpdatedAt ?? 0, heard.at());
      const isDeaf = isSilent({ answeredAt, watchedSince: watchedSince() }, Date.now());
      if (stream.state === "live" && document.visibilityState === "visible" && isDeaf) stream.reopen();
    }),
  ];
  stream.open();
  return () => {
    for (const stop of stops) stop();
    stream.close();
  };
}

function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  return () => clearInterval(timer);
}

/** The chain was restarted: whatever was known of the old one is known no more. */
function onOtherRun(queries: QueryClient, run: () => void): () => void {
  let known: number | undefined;
  return queries.getQueryCache().subscribe(({ type, query }) => {
    if (type !== "updated" || query.queryKey[0] !== "overview") return;
    const runId = (query.state.data as Overview | undefined)?.chain.runId;
    if (runId === undefined || runId === known) return;
    const isOther = known !== undefined;
    known = runId;
    if (isOther) run();
  });
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
