import { expect, it } from "vitest";
import { createRateLimit } from "#offchain/platform/rateLimit.ts";

function limit(options: { perSecond: number; burst: number; trackedMax?: number }) {
  const time = { now: 0 };
  return { time, spend: createRateLimit({ trackedMax: 100, now: () => time.now, ...options }) };
}

it("lets a burst pass and then one in each period", () => {
  const { time, spend } = limit({ perSecond: 10, burst: 3 });
  expect([spend("a"), spend("a"), spend("a"), spend("a")]).toEqual([0, 0, 0, 100]);
  time.now = 100;
  expect([spend("a"), spend("a")]).toEqual([0, 100]);
});

it("never saves up more than the burst", () => {
  const { time, spend } = limit({ perSecond: 10, burst: 2 });
  time.now = 1_000_000;
  expect([spend("a"), spend("a"), spend("a")]).toEqual([0, 0, 100]);
});

it("counts each caller by itself", () => {
  const { spend } = limit({ perSecond: 1, burst: 1 });
  expect([spend("a"), spend("b"), spend("a")]).toEqual([0, 0, 1000]);
});

it("forgets the longest idle caller when it tracks too many", () => {
  const { spend } = limit({ perSecond: 1, burst: 1, trackedMax: 2 });
  for (const who of ["a", "b", "a", "c"]) spend(who);
  expect([spend("a") > 0, spend("b")]).toEqual([true, 0]);
});

it("has no limit at a rate of zero", () => {
  const { spend } = limit({ perSecond: 0, burst: 1 });
  expect([spend("a"), spend("a")]).toEqual([0, 0]);
});

it("counts many at once, and lets more than the burst pass as a debt", () => {
  const { time, spend } = limit({ perSecond: 10, burst: 5 });
  expect([spend("a", 3), spend("a", 3)]).toEqual([0, 100]);
  time.now = 1_000;
  expect([spend("a", 20), spend("a")]).toEqual([0, 1_600]);
});
