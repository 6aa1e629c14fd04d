import { expect, test } from "vitest";
import { backoffMs, pause, withTimeout } from "#offchain/core/pause.ts";

test("each pause is twice the one before, up to the longest, however often it failed", () => {
  const backoff = { firstMs: 50, longestMs: 300 };
  const pauses = [1, 2, 3, 4, 5].map((failures) => backoffMs(failures, backoff));
  expect(pauses).toEqual([50, 100, 200, 300, 300]);
  expect(backoffMs(100_000, backoff)).toBe(300);
  expect(backoffMs(100_000, { firstMs: 0, longestMs: 300 })).toBe(0);
});

test("work that is done in time is answered, or fails, as it would alone", async () => {
  const late = () => "late";
  expect(await withTimeout(Promise.resolve("done"), 1_000, late)).toBe("done");
  await expect(withTimeout(Promise.reject(new Error("no")), 1_000, late)).rejects.toThrow("no");
});

test("work that takes longer is answered, or fails, as is said, and its own failure is nobody's", async () => {
  const slow = () => pause(5).then(() => Promise.reject(new Error("unheard")));
  expect(await withTimeout(slow(), 1, () => "late")).toBe("late");
  const refuse = () => {
    throw new Error("too late");
  };
  await expect(withTimeout(slow(), 1, refuse)).rejects.toThrow("too late");
  await pause(10);
});
