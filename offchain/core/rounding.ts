/** dividend ÷ divisor to the nearest integer, halves away from zero upwards. Both at or above zero, divisor above it. */
export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** dividend ÷ divisor, never less than exact. Both at or above zero, divisor above it. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** dividend ÷ divisor, never more than exact. Both at or above zero, divisor above it. */
export function divideDown(dividend: bigint, divisor: bigint): bigint {
  return dividend / divisor;
}

/** The lesser of two amounts; `Math.min` knows no bigint. */
export function least(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}
