import { expect, test } from "vitest";
import { isOfEarlierRun } from "@/lib/live/earlierRun.ts";

test("what is older than the chain's first block is of a chain that is gone; nothing is while the chain is silent", () => {
  expect(isOfEarlierRun(999, 1_000)).toBe(true);
  expect(isOfEarlierRun(1_000, 1_000)).toBe(false);
  expect(isOfEarlierRun(999, undefined)).toBe(false);
});
