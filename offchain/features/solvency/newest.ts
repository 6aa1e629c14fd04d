import { BursarError } from "#offchain/core/error.ts";
import { withTimeout } from "#offchain/core/pause.ts";
import { shareNext } from "#offchain/platform/jobs/shareNext.ts";

/** After a run it rests as long as that took: whoever asks on and on keeps the provider busy for half of the time at most. */
const restTimes = 1;

/**
 * A comparison that anybody may ask for, and that takes the longer the more there is to compare. Whoever asks waits for the
 * next run, but only so long; then he gets the newest that there is, which says when it was made. One run is under way at
 * a time, however many ask, and goes on when nobody waits for it any more.
 * @param everyMs from the beginning of one run to that of the next, at the least
 */
export function newest<T>(
  run: () => Promise<T>,
  { everyMs, patienceMs }: { everyMs: number; patienceMs: number },
): () => Promise<T> {
  let last: { answer: T } | null = null;
  const next = shareNext(
    async () => {
      const answer = await run();
      last = { answer };
      return answer;
    },
    everyMs,
    restTimes,
  );
  return async () => {
    const asked = next();
    // Nobody may wait any more when it fails.
    asked.catch(() => {});
    const known = await withTimeout(
      asked.then((answer) => ({ answer })),
      patienceMs,
      () => last,
    );
    if (known) return known.answer;
    throw new BursarError("CHAIN_UNAVAILABLE", "books and chain are being compared still; ask again", {
      facts: { waitedMs: patienceMs },
    });
  };
}
