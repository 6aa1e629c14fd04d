/** dividend ÷ divisor to the nearest integer; a half rounds up. Requires dividend ≥ 0 and divisor > 0. */
export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** dividend ÷ divisor, rounded up. Requires dividend ≥ 0 and divisor > 0. */
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
