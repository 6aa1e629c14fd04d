"use client";
import { useSyncExternalStore } from "react";
import { heard } from "./live/heard.ts";

/** One ticking clock for the whole page, so that all ages on it agree and only one timer runs. */
const listeners = new Set<() => void>();
let now = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function tick() {
  now = Date.now();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!timer) {
    now = Date.now();
    timer = setInterval(tick, 1_000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function read(): number {
  if (now === 0) now = Date.now();
  return now;
}

const useBrowserNow = (): number => useSyncExternalStore(subscribe, read, () => 0);

/** How far the service's clock is ahead of the browser's. */
export const useAheadMs = (): number => useSyncExternalStore(heard.onChange, heard.aheadMs, () => 0);

/**
 * The service's time now, to the second; 0 while rendering on the server. What the service and the chain tell is of this
 * clock: a browser's may be hours off, and decides no deadline.
 */
export function useNow(): number {
  const now = useBrowserNow();
  const ahead = useAheadMs();
  return now === 0 ? 0 : now + ahead;
}
