import { expect, it } from "vitest";
import { skills } from "#offchain/demo/cast.ts";
import { labour } from "#offchain/demo/labour.ts";

it.each(skills)("does %s work that its seed decides", (skill) => {
  const work = labour(skill, 3, 42);
  expect(labour(skill, 3, 42)).toEqual(work);
  expect(work.result).not.toBe("");
  expect(new Set([41, 42, 43, 44].map((seed) => labour(skill, 3, seed).digest)).size).toBeGreaterThan(1);
});

it("counts the ten ways to place five queens, or the four for six", () => {
  const ways = Array.from({ length: 20 }, (_, seed) => labour("code", 1, seed).result);
  expect(new Set(ways)).toEqual(new Set(["10 ways on 1 boards of 5", "4 ways on 1 boards of 6"]));
});
