/** The time, as an argument: what the service decides or stores by it reads no other clock. The machine's is read where it begins. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** The last moment that a `Date` holds, epoch ms (ECMA-262, Time Values and Time Range). */
export const lastMoment = 8_640_000_000_000_000;

/** A contract's seconds as epoch ms. Contracts take any `uint256`; what lies beyond a `Date` is `lastMoment`. */
export const momentOf = (seconds: bigint): number =>
  seconds > BigInt(lastMoment) / 1_000n ? lastMoment : Number(seconds) * 1_000;
