/**
 * Makes callers share one run of a costly reading without answering anybody from before they asked: a run that is under
 * way may have missed what a caller has seen meanwhile, so that caller waits for it and shares the next one. At most one
 * run is under way and one waits.
 */
export function shareNext<T>(run: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  return () => {
    next ??= underWay
      // A failure was told to those who waited for that run.
      .catch(() => {})
      .then(() => {
        next = null;
        const begun = run();
        underWay = begun;
        return begun;
      });
    return next;
  };
}
