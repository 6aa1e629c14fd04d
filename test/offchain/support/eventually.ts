import { expect } from "vitest";

/** Asks again until the expectation holds, for as long as a busy machine may need. */
export const eventually = <Answer>(ask: () => Answer | Promise<Answer>, interval = 20) =>
  expect.poll(ask, { timeout: 60_000, interval });
