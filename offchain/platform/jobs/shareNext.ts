import { setTimeout as delay } from "node:timers/promises";

/**
 * Makes callers share one run of a costly reading without answering anybody from before they asked: a run that is under
 * way may have missed what a caller has seen meanwhile, so that caller waits for it and shares the next one. At most one
 * run is under way and one waits.
 * @param everyMs from the beginning of one run to that of the next, at the least
 * @param restTimes after a run it rests so many times as long as that took, at the least
 */
export function shareNext<T>(run: () => Promise<T>, everyMs = 0, restTimes = 0): () => Promise<T> {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  let mayBeginAt = 0;
  return () => {
    next ??= underWay
      // A failure was told to those who waited for that run.
      .catch(() => {})
      .then(async () => {
        const early = mayBeginAt - performance.now();
        if (early > 0) await delay(early);
        next = null;
        const begunAt = performance.now();
        mayBeginAt = begunAt + everyMs;
        const begun = run().finally(() => {
          const now = performance.now();
          mayBeginAt = Math.max(mayBeginAt, now + (now - begunAt) * restTimes);
        });
        underWay = begun;
        return begun;
      });
    return next;
  };
}

/** As `shareNext`, for each key by itself; a key is forgotten once nobody waits for it and its rest is over. */
export function shareEach<T>(run: (key: string) => Promise<T>, everyMs = 0): (key: string) => Promise<T> {
  const shares = new Map<string, { readonly share: () => Promise<T>; waiting: number }>();
  return async (key) => {
    const shared = shares.get(key) ?? { share: shareNext(() => run(key), everyMs), waiting: 0 };
    shares.set(key, shared);
    shared.waiting += 1;
    try {
      return await shared.share();
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0)
        setTimeout(() => {
          if (shared.waiting === 0 && shares.get(key) === shared) shares.delete(key);
        }, everyMs).unref();
    }
  };
}
