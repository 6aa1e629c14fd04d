import { BursarError } from "#offchain/core/error.ts";
import { pause } from "#offchain/core/pause.ts";

export interface RetryOptions {
  /** How long to go on asking, ms. */
  deadlineMs?: number;
  signal?: AbortSignal;
}

const firstPauseMs = 50;
const lastPauseMs = 1_000;
const usualDeadlineMs = 60_000;

/**
 * Sends the same idempotent call again until the service answers it: through a lost connection, a restart, an overload or a rate limit.
 * @throws the last error once the deadline has passed, the signal's reason, or at once any error that another try cannot mend
 */
export async function untilAnswered<Answer>(
  call: () => Promise<Answer>,
  { deadlineMs = usualDeadlineMs, signal }: RetryOptions = {},
): Promise<Answer> {
  const givenUpAt = performance.now() + deadlineMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, lastPauseMs)) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!isPassing(error) || performance.now() + pauseMs > givenUpAt) throw error;
      const { retryAfterMs } = error instanceof BursarError ? error.facts : {};
      const waitMs = typeof retryAfterMs === "number" ? Math.min(retryAfterMs, lastPauseMs) : pauseMs;
      await pause(waitMs, signal);
    }
  }
}

/** Whether the same request may succeed later. `fetch` reports every kind of lost connection as a TypeError. */
export function isPassing(error: unknown): boolean {
  if (error instanceof BursarError) return error.remedy === "retry" || error.code === "RATE_LIMITED";
  return error instanceof TypeError;
}
