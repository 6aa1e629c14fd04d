"use client";
import { useSyncExternalStore } from "react";

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

/** The time now, to the second; 0 while rendering on the server. */
export const useNow = (): number => useSyncExternalStore(subscribe, read, () => 0);
