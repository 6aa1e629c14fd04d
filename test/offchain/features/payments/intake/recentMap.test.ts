import { expect, test } from "vitest";
import { RecentMap } from "#offchain/features/payments/intake/recentMap.ts";

const filled = (kept: number, ...keys: number[]) => {
  const map = new RecentMap<number, { key: number }>(kept);
  for (const key of keys) map.set(key, { key });
  return map;
};

test("holds what was set, and sets it anew", () => {
  const map = filled(3, 1, 2);
  map.set(1, { key: 9 });
  expect([map.get(1), map.get(2), map.get(3)]).toEqual([{ key: 9 }, { key: 2 }, undefined]);
  expect(map.size).toBe(2);
});

test("does not grow beyond twice what it keeps, and keeps the latest", () => {
  const map = filled(10);
  for (let key = 0; key < 1_000; key += 1) {
    map.set(key, { key });
    expect(map.size).toBeLessThanOrEqual(20);
    for (let one = Math.max(0, key - 9); one <= key; one += 1) expect(map.has(one)).toBe(true);
  }
});

test("keeps what is asked for again and again, and forgets what is not", () => {
  const map = filled(3, 0, 1);
  for (let key = 2; key < 50; key += 1) {
    expect(map.get(0)).toEqual({ key: 0 });
    map.set(key, { key });
  }
  expect(map.has(1)).toBe(false);
});

test("holds an entry that is set again once, with its new value", () => {
  const map = filled(2, 1, 2, 3);
  map.set(1, { key: 9 });
  expect([map.get(1), map.size]).toEqual([{ key: 9 }, 3]);
});
