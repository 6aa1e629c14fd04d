import type { Clock } from "#offchain/core/clock.ts";
import { isYounger } from "../age.ts";

/** Over how long the rate is taken. */
const windowMs = 5_000;

/** How many things happened per second, lately. */
export class Rate {
  private readonly clock: Clock;
  private readonly moments: { at: number; count: number }[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(count: number): void {
    this.moments.push({ at: this.clock.now(), count });
    this.forget();
  }

  perSecond(): number {
    this.forget();
    const count = this.moments.reduce((sum, moment) => sum + moment.count, 0);
    return Math.round((count * 10_000) / windowMs) / 10;
  }

  private forget(): void {
    const now = this.clock.now();
    const kept = this.moments.findIndex(({ at }) => isYounger(at, windowMs + 1, now));
    this.moments.splice(0, kept === -1 ? this.moments.length : kept);
  }
}
