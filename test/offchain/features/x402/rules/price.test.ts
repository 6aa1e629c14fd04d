import { describe, expect, test } from "vitest";
import { charge, parsePrices } from "#offchain/features/x402/rules/price.ts";

describe("prices", () => {
  test("are read as base units of USDC, fixed or metered", () => {
    expect([...parsePrices('{"a.b":"0.001","c.d":{"amount":"0.01","perItem":"0.002"}}')]).toEqual([
      ["a.b", { amount: 1_000n, perItem: null }],
      ["c.d", { amount: 10_000n, perItem: 2_000n }],
    ]);
  });

  test.each([
    "",
    "[]",
    "null",
    '{"a.b":1}',
    '{"a.b":"0"}',
    '{"a.b":"-1"}',
    '{"a.b":"0.0000001"}',
    '{"a.b":null}',
    '{"a.b":{"perItem":"1"}}',
    '{"a.b":{"amount":"1","perItem":"2"}}',
  ])("%s is refused", (text) => {
    expect(() => parsePrices(text)).toThrow();
  });

  test("charge by the item up to the most that a call may cost", () => {
    const metered = { amount: 10_000n, perItem: 3_000n };
    expect([0, 1, 3, 4, 1_000].map((items) => charge(metered, items))).toEqual([
      0n,
      3_000n,
      9_000n,
      10_000n,
      10_000n,
    ]);
    expect(charge({ amount: 5n, perItem: null }, 0)).toBe(5n);
  });
});
