import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "#offchain/core/pause.ts";

/** A task that runs again and again until it is stopped; one that fails is reported and tried again. */
export interface Repeated {
  /** Resolves when the run in hand is over; none starts after it. */
  stop(): Promise<void>;
}

/**
 * Runs `task`, waits `intervalMs`, and again; after a failure see {@link pauseMs}. Nothing is lost when the process dies
 * between two runs: what is due is in the database, and the timer only says when to look.
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

const patienceMs = 5_000;

/**
 * How long to wait after so many failures in a row. The first wait is at most five seconds, so that an outage which is over
 * is not felt for the whole interval of a job that comes seldom; a job that comes often waits longer than its interval, up
 * to five seconds. Each further wait is twice the one before.
 */
export function pauseMs(intervalMs: number, failures: number): number {
  if (failures === 0) return intervalMs;
  return backoffMs(failures, {
    firstMs: Math.min(intervalMs * 2, patienceMs),
    longestMs: Math.max(intervalMs, patienceMs),
  });
}
