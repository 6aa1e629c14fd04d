import { expect, test } from "vitest";
import { closedWords, gasPerPayment, stages } from "@/features/payments/words.ts";

test("gas per payment is known once mined, and not for an empty batch", () => {
  expect(gasPerPayment({ gasUsed: "148211", payments: 100 })).toBe("1,482.1");
  expect(gasPerPayment({ gasUsed: null, payments: 100 })).toBeNull();
  expect(gasPerPayment({ gasUsed: "21000", payments: 0 })).toBeNull();
});
test("why a batch closed", () => {
  expect(closedWords({ closedBy: "age" })).toBe("closed because its time was up");
  expect(closedWords({ closedBy: null })).toBe("still filling");
});
test("a payment's stages are reached one after the other", () => {
  const reached = (state: Parameters<typeof stages>[0]["state"]) =>
    stages({ state }).filter(({ isReached }) => isReached).length;
  expect([reached("accepted"), reached("claimed"), reached("settled"), reached("lost")]).toEqual([
    1, 2, 3, 0,
  ]);
});
