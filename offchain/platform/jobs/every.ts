import { setTimeout as delay } from "node:timers/promises";

/** A task that runs again and again until it is stopped; one that fails is reported and tried again. */
export interface Repeated {
  /** Resolves when the run in hand is over; none starts after it. */
  stop(): Promise<void>;
}

/**
 * Runs `task`, waits `intervalMs`, and again; after failures it waits longer, up to five seconds. Nothing is lost when the process dies between two runs: what is due is
 * in the database, and the timer only says when to look.
 */
export function every(
  intervalMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): Repeated {
  const stopping = new AbortController();
  let failures = 0;
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await task();
        failures = 0;
      } catch (error) {
        failures += 1;
        onError(error);
      }
      await delay(pauseMs(intervalMs, failures), undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

const longestPauseMs = 5_000;

const pauseMs = (intervalMs: number, failures: number): number =>
  failures === 0 ? intervalMs : Math.max(intervalMs, Math.min(intervalMs * 2 ** failures, longestPauseMs));
