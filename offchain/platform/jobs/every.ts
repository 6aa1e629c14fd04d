import { setTimeout as delay } from "node:timers/promises";

/** A task that runs again and again until it is stopped; one that fails is reported and tried again. */
export interface Repeated {
  /** Resolves when the run in hand is over; none starts after it. */
  stop(): Promise<void>;
}

/**
 * Runs `task`, waits `intervalMs`, and again. Nothing is lost when the process dies between two runs: what is due is
 * in the database, and the timer only says when to look.
 */
export function every(
  intervalMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): Repeated {
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await task();
      } catch (error) {
        onError(error);
      }
      await delay(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
