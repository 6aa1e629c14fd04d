import { setTimeout as delay } from "node:timers/promises";
import { type Backoff, backoffMs } from "#offchain/core/pause.ts";
import type { Server } from "./server.ts";

/** Keeps a server running until it is stopped or left to others. */
export interface Supervision {
  stop(): Promise<void>;
  /** Watches no longer; the server runs on. */
  leave(): Promise<void>;
}

const restarting: Backoff = { firstMs: 200, longestMs: 30_000 };
/** Whoever adopted a server lets the process whose child it was begin, and adopts that one's. */
const adopterPauseMs = 500;

/** Starts the server again whenever it ends by itself. */
export function supervise(
  first: Server,
  again: () => Promise<Server>,
  progress: (what: string) => void,
): Supervision {
  const stopping = new AbortController();
  const { signal } = stopping;
  const pause = (ms: number) => delay(ms, undefined, { signal, ref: false }).catch(() => {});
  let current = first;
  const watch = async () => {
    while (!signal.aborted) {
      await Promise.race([current.ended(), aborted(signal)]);
      if (signal.aborted) break;
      progress(`PostgreSQL has ended by itself: ${current.lastWords() || "it said nothing"}`);
      if (current.isAdopted) await pause(adopterPauseMs);
      for (let failures = 1; !signal.aborted; failures += 1)
        try {
          current = await again();
          progress(
            current.isAdopted ? "PostgreSQL was started again by another" : "PostgreSQL is started again",
          );
          break;
        } catch (error) {
          progress(`PostgreSQL does not start: ${error instanceof Error ? error.message : String(error)}`);
          await pause(backoffMs(failures, restarting));
        }
    }
  };
  const watching = watch();
  return {
    async stop() {
      stopping.abort();
      await current.stop();
      // It may be started while it is to be stopped.
      await watching.then(() => current.stop());
    },
    async leave() {
      stopping.abort();
      await watching;
    },
  };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
