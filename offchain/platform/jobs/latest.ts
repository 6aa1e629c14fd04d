import type { Clock } from "#offchain/core/clock.ts";
import { isYounger } from "../age.ts";

/**
 * A figure from outside that is asked for at most every `freshMs`, and by one caller at a time. What cannot be had is
 * null until it is asked for again: the outside must never stop the money.
 */
export function latest<Value>(
  options: { clock: Clock; freshMs: number; onError: (error: unknown) => void },
  ask: () => Promise<Value | null>,
): () => Promise<Value | null> {
  let known: { at: number; value: Promise<Value | null> } | null = null;
  return () => {
    const now = options.clock.now();
    if (known && isYounger(known.at, options.freshMs, now)) return known.value;
    const value = ask().catch((error: unknown) => {
      options.onError(error);
      return null;
    });
    known = { at: now, value };
    return value;
  };
}
