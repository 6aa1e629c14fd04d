import { expect, test } from "vitest";
import { creditExpiresAt } from "#offchain/features/payments/rules/credit.ts";

test("the word for a credit is good for 21 days, in whole seconds of the chain", () => {
  expect(creditExpiresAt(0)).toBe(1_814_400);
  expect(creditExpiresAt(1_999)).toBe(1_814_401);
  expect(creditExpiresAt(1_760_000_000_000)).toBe(1_761_814_400);
});
