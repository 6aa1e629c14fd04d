export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The half and the slowest hundredth of some times, ms. */
export const spread = (times: readonly number[]) => ({
  p50Ms: round(median(times)),
  p99Ms: round(quantile(times, 0.99)),
});

/** A count from the command line. @throws RangeError */
export function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`--${name} must be a whole number above 0, not ${JSON.stringify(text)}`);
  return value;
}

/** Counts separated by commas, the smallest first. @throws RangeError */
export const counts = (name: string, text: string): number[] =>
  text
    .split(",")
    .map((part) => count(name, part))
    .toSorted((a, b) => a - b);
