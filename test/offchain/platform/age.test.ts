import { expect, test } from "vitest";
import { isYounger } from "#offchain/platform/age.ts";

test("what was noted lately is young, also by a clock that is a little ahead", () => {
  expect([900, 1_000, 1_099].map((at) => isYounger(at, 100, 999))).toEqual([true, true, false]);
  expect(isYounger(900, 100, 1_000)).toBe(false);
});

test("what a wrong clock noted far ahead is not young until then", () => {
  expect(isYounger(40 * 86_400_000, 100, 0)).toBe(false);
});
