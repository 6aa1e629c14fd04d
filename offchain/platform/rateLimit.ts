/**
 * Spends a token of `who`, or as many as `count`; zero when it may pass, else how long it waits first, ms. What counts
 * for more than the burst passes when that is whole, and is paid off afterwards.
 */
export type RateLimit = (who: string, count?: number) => number;

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
  return (who, count = 1) => {
    const at = now();
    const bucket = buckets.get(who) ?? { tokens: burst, filledAt: at };
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.filledAt) * perSecond) / 1000);
    bucket.filledAt = at;
    // A Map keeps the order of insertion: putting the bucket last makes the first one the longest idle.
    buckets.delete(who);
    buckets.set(who, bucket);
    if (buckets.size > trackedMax) buckets.delete(buckets.keys().next().value ?? who);
    const needed = Math.min(count, burst);
    if (bucket.tokens < needed) return Math.ceil(((needed - bucket.tokens) * 1000) / perSecond);
    bucket.tokens -= count;
    return 0;
  };
}
