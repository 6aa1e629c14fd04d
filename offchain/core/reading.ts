/** A price, or any other figure that is better when lower, beside what it lately was. */
export interface Reading {
  now: bigint;
  median: bigint;
}

/** The middle one of some figures, the lower of two; null of none. */
export function medianOf(figures: readonly bigint[]): bigint | null {
  const sorted = figures.toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0));
  return sorted[(sorted.length - 1) >> 1] ?? null;
}
