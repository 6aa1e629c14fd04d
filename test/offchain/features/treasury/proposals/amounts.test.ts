import { expect, test } from "vitest";
import { momentInWords } from "#offchain/features/treasury/proposals/amounts.ts";
import { isEndless } from "#offchain/features/treasury/rules.ts";

test("a moment is written for every reader alike", () => {
  expect(momentInWords(0)).toBe("1970-01-01 00:00:00 UTC");
  expect(momentInWords(1_798_761_845)).toBe("2027-01-01 00:04:05 UTC");
});

test("a year with five digits is no end", () => {
  expect(isEndless(Date.UTC(9999, 11, 31) / 1_000)).toBe(false);
  expect(isEndless(2 ** 40 - 1)).toBe(true);
});
