import { setTimeout as delay } from "node:timers/promises";

/**
 * Makes callers share one run of a costly reading without answering anybody from before they asked: a run that is under
 * way may have missed what a caller has seen meanwhile, so that caller waits for it and shares the next one. At most one
 * run is under way and one waits.
 * @param everyMs from the beginning of one run to that of the next, at the least
 */
export function shareNext<T>(run: () => Promise<T>, everyMs = 0): () => Promise<T> {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  let begunAt = Number.NEGATIVE_INFINITY;
  return () => {
    next ??= underWay
      // A failure was told to those who waited for that run.
      .catch(() => {})
      .then(async () => {
        const early = begunAt + everyMs - performance.now();
        if (early > 0) await delay(early);
        next = null;
        begunAt = performance.now();
        const begun = run();
        underWay = begun;
        return begun;
      });
    return next;
  };
}
