/** The time, as an argument: nothing in Bursar reads the machine's clock but `main.ts`. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}
