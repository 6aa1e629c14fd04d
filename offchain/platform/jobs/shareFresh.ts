/**
 * Makes callers share one run of a costly reading, and its answer for `freshMs` after it began: anybody may ask, however
 * often, and a figure that is so old is good enough. A run that fails is told to those who waited for it, and kept for nobody.
 */
export function shareFresh<T>(run: () => Promise<T>, freshMs: number): () => Promise<T> {
  let known: { answer: Promise<T>; at: number } | null = null;
  let isRunning = false;
  return () => {
    const now = performance.now();
    if (known && (isRunning || now - known.at < freshMs)) return known.answer;
    isRunning = true;
    const answer = run().finally(() => {
      isRunning = false;
    });
    const begun = { answer, at: now };
    known = begun;
    answer.catch(() => {
      if (known === begun) known = null;
    });
    return answer;
  };
}
