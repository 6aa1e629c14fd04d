import { expect, test } from "vitest";
import { latest } from "#offchain/platform/jobs/latest.ts";

test("a figure is asked for once while it is fresh, and anew when it is not", async () => {
  const clock = { at: 0, now: () => clock.at };
  let asked = 0;
  const figure = latest({ clock, freshMs: 1_000, onError: () => {} }, async () => ++asked);
  expect(await Promise.all([figure(), figure()])).toEqual([1, 1]);
  clock.at = 999;
  expect(await figure()).toBe(1);
  clock.at = 1_000;
  expect(await figure()).toBe(2);
});

test("a figure that cannot be had is told and null, until it can", async () => {
  const clock = { at: 0, now: () => clock.at };
  const told: unknown[] = [];
  const away = new Error("away");
  const figure = latest({ clock, freshMs: 1_000, onError: (error) => told.push(error) }, async () => {
    if (clock.at === 0) throw away;
    return 7;
  });
  expect(await figure()).toBeNull();
  expect(await figure()).toBeNull();
  expect(told).toEqual([away]);
  clock.at = 1_000;
  expect(await figure()).toBe(7);
});

test("a figure that was asked for by a clock that was ahead is asked for anew", async () => {
  const clock = { at: 40 * 86_400_000, now: () => clock.at };
  let asked = 0;
  const figure = latest({ clock, freshMs: 1_000, onError: () => {} }, async () => ++asked);
  await figure();
  clock.at = 0;
  expect(await figure()).toBe(2);
});
