/** Spends one token of `who`; zero when it may pass, else the time until the next token, ms. */
export type RateLimit = (who: string) => number;

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * A token bucket for each caller: `burst` at once, then `perSecond`; `perSecond` 0 lets everything pass.
 * At most `trackedMax` buckets are kept; the longest idle is forgotten first, which only ever gives it more.
 */
export function createRateLimit(options: {
  perSecond: number;
  burst: number;
  trackedMax: number;
  now: () => number;
}): RateLimit {
  const { perSecond, burst, trackedMax, now } = options;
  if (perSecond === 0) return () => 0;
  const buckets = new Map<string, Bucket>();
  return (who) => {
    const at = now();
    const bucket = buckets.get(who) ?? { tokens: burst, filledAt: at };
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.filledAt) * perSecond) / 1000);
    bucket.filledAt = at;
    // A Map keeps the order of insertion: putting the bucket last makes the first one the longest idle.
    buckets.delete(who);
    buckets.set(who, bucket);
    if (buckets.size > trackedMax) buckets.delete(buckets.keys().next().value ?? who);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1000) / perSecond);
    bucket.tokens -= 1;
    return 0;
  };
}
