/** A price, or any other figure that is better when lower, beside what it lately was. */
export interface Reading {
  now: bigint;
  median: bigint;
}

/** The median; for an even count the lower middle value, and null for an empty list. */
export function medianOf(figures: readonly bigint[]): bigint | null {
  const sorted = figures.toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0));
  return sorted[(sorted.length - 1) >> 1] ?? null;
}
