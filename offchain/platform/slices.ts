import { scheduler } from "node:timers/promises";

/** Work that takes one step after the other, and says after each that it could pause. */
export type Steps<Result> = Generator<void, Result>;

/** Longer than this nobody else waits for the event loop because of the work. */
const sliceMs = 10;

/** Carries the steps out in slices, between which everything else of the process has its turn. */
export async function inSlices<Result>(steps: Steps<Result>): Promise<Result> {
  for (let until = performance.now() + sliceMs; ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < until) continue;
    await scheduler.yield();
    until = performance.now() + sliceMs;
  }
}
