import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coinOf, formatAmount, maxAmount, parseAmount, unitCodes, units } from "#offchain/core/unit.ts";

describe("an amount", () => {
  test("written and read again is the same, in every unit", () => {
    fc.assert(
      fc.property(fc.constantFrom(...unitCodes), fc.bigInt({ min: 0n, max: maxAmount }), (unit, amount) => {
        expect(parseAmount(formatAmount(amount, unit), unit)).toBe(amount);
      }),
    );
  });

  test("reads as base units of its unit", () => {
    expect(parseAmount("10.50", "USD")).toBe(1050n);
    expect(parseAmount("0.0001", "USDC")).toBe(100n);
    expect(parseAmount("1", "ETH")).toBe(10n ** 18n);
    expect(parseAmount("7", "SCRIP")).toBe(7n);
  });

  test("below zero is written with its sign", () => {
    expect(formatAmount(-1n, "USDC")).toBe("-0.000001");
  });

  const refused: [string, string][] = [
    ["", "nothing"],
    ["-1", "a sign"],
    ["+1", "a sign"],
    ["1e3", "an exponent"],
    ["1,000", "a separator"],
    [" 1", "a space"],
    ["01", "a leading zero"],
    [".5", "no whole part"],
    ["1.", "no fraction"],
    ["NaN", "no number"],
    ["Infinity", "no number"],
    ["0x10", "another base"],
    ["١", "another alphabet's digits"],
    ["0.0000001", "more decimals than the unit has"],
    ["9".repeat(39), "more digits than the ledger holds"],
  ];
  test.each(refused)("%j is refused: %s", (text) => {
    expect(() => parseAmount(text, "USDC")).toThrowError(
      expect.objectContaining({
        code: "AMOUNT_INVALID",
        fields: [expect.objectContaining({ field: "amount" })],
      }),
    );
  });

  test("has no decimals in a unit without them", () => {
    expect(units.SCRIP.decimals).toBe(0);
    expect(() => parseAmount("1.0", "SCRIP")).toThrowError(
      expect.objectContaining({ code: "AMOUNT_INVALID" }),
    );
  });
});

test("a chain's coin is ether where its settings name no other", () => {
  expect(coinOf()).toEqual({ name: "Ether", symbol: "ETH", decimals: 18 });
  expect(coinOf("POL")).toEqual({ name: "POL", symbol: "POL", decimals: 18 });
});
