import { BursarError } from "#offchain/core/error.ts";
import { type Backoff, backoffMs, pause } from "#offchain/core/pause.ts";

/** A call that has failed, and is tried again. */
export interface Retry {
  error: unknown;
  /** The tries so far. */
  attempt: number;
  /** Since the first one, ms. */
  waitedMs: number;
  /** How long it is tried in all, ms. */
  deadlineMs: number;
}

export interface RetryOptions {
  /** How long to go on asking, ms. */
  deadlineMs?: number;
  signal?: AbortSignal;
  /** Told before each further try. Without it the console has a line about calls that are tried for three seconds. */
  onRetry?: (retry: Retry) => void;
}

const backoff: Backoff = { firstMs: 50, longestMs: 1_000 };
const usualDeadlineMs = 60_000;

/**
 * Sends the same idempotent call again until the service answers it: through a lost connection, a restart, an overload or a rate limit.
 * @throws the last error once the deadline has passed, the signal's reason, or at once any error that another try cannot mend
 */
export async function untilAnswered<Answer>(
  call: () => Promise<Answer>,
  { deadlineMs = usualDeadlineMs, signal, onRetry = warn }: RetryOptions = {},
): Promise<Answer> {
  const beganAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      const waitedMs = performance.now() - beganAt;
      const pauseMs = backoffMs(attempt, backoff);
      if (!isPassing(error) || waitedMs + pauseMs > deadlineMs) throw error;
      onRetry({ error, attempt, waitedMs, deadlineMs });
      const { retryAfterMs } = error instanceof BursarError ? error.facts : {};
      await pause(
        typeof retryAfterMs === "number" ? Math.min(retryAfterMs, backoff.longestMs) : pauseMs,
        signal,
      );
    }
  }
}

const warnAfterMs = 3_000;
const warnEveryMs = 10_000;
let warnedAt = Number.NEGATIVE_INFINITY;

/** One line for all calls that wait: an outage stops many at once. */
function warn({ error, waitedMs, deadlineMs }: Retry): void {
  const now = performance.now();
  if (waitedMs < warnAfterMs || now - warnedAt < warnEveryMs) return;
  warnedAt = now;
  const [waited, deadline] = [waitedMs, deadlineMs].map((ms) => Math.round(ms / 1_000));
  console.warn(`bursar: ${(error as Error).message}; tried for ${waited} s, given up after ${deadline} s`);
}

/**
 * Whether the same request may succeed later: the client signs each try anew. `fetch` reports every kind of lost
 * connection as a TypeError.
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof BursarError)
    return error.remedy === "retry" || error.remedy === "sign" || error.code === "RATE_LIMITED";
  return error instanceof TypeError;
}

/** Whether the service has decided against the request: nothing of it happened, and the same again would be refused alike. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof BursarError &&
  (error.remedy === "fix" || error.remedy === "ask" || error.code === "BUDGET_EXCEEDED");
