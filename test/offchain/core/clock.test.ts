import { expect, test } from "vitest";
import { lastMoment, momentOf } from "#offchain/core/clock.ts";

test("seconds are a thousand milliseconds, and what no date holds is the last moment of one", () => {
  expect([momentOf(0n), momentOf(1_800_000_000n)]).toEqual([0, 1_800_000_000_000]);
  for (const seconds of [8_640_000_000_000n, 8_640_000_000_001n, 2n ** 64n, 2n ** 256n - 1n])
    expect(momentOf(seconds)).toBe(lastMoment);
  expect(new Date(lastMoment).toISOString()).toBe("+275760-09-13T00:00:00.000Z");
});
