import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxAmount, unitCodes } from "#offchain/core/unit.ts";
import { assertWithin, type FeeTerms, feeUp, freeTerms } from "#offchain/features/ledger/rules/fee.ts";

const terms = (change: Partial<FeeTerms> = {}): FeeTerms => ({ ...freeTerms("USDC"), ...change });

describe("the fee of a transfer", () => {
  it.each([
    [0n, 0, 1_000_000n, 0n],
    [5n, 0, 1_000_000n, 5n],
    // 1 % of 1 USDC, and of a cent's hundredth.
    [0n, 100, 1_000_000n, 10_000n],
    [0n, 100, 100n, 1n],
    [0n, 100, 101n, 2n],
    [0n, 100, 99n, 1n],
    // One basis point of the least amount is still one base unit: nobody splits his way out of the fee.
    [0n, 1, 1n, 1n],
    [0n, 1, 10_000n, 1n],
    [0n, 1, 10_001n, 2n],
    [7n, 10_000, 123n, 130n],
    [7n, 30, 0n, 7n],
  ])("of fixed %s and %s bps on %s is %s, the share rounded up", (fixed, rateBps, amount, expected) => {
    expect(feeUp({ fixed, rateBps }, amount)).toBe(expected);
  });

  it("is never below the exact share, and less than one base unit above it", () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, maxAmount),
        fc.integer({ min: 0, max: 10_000 }),
        fc.bigInt(0n, 10n ** 12n),
        (amount, rateBps, fixed) => {
          const above = (feeUp({ fixed, rateBps }, amount) - fixed) * 10_000n - amount * BigInt(rateBps);
          expect(above >= 0n && above < 10_000n).toBe(true);
        },
      ),
    );
  });

  it("is not less for a payment in parts", () => {
    const part = fc.bigInt(1n, 10n ** 20n);
    fc.assert(
      fc.property(part, part, fc.integer({ min: 0, max: 10_000 }), (one, other, rateBps) => {
        const rate = { fixed: 0n, rateBps };
        expect(feeUp(rate, one) + feeUp(rate, other)).toBeGreaterThanOrEqual(feeUp(rate, one + other));
      }),
    );
  });
});

describe("the bounds of a transfer", () => {
  const bounded = terms({ minimum: 100n, maximum: 5_000_000n });

  it("include the least and the greatest amount", () => {
    for (const amount of [100n, 101n, 4_999_999n, 5_000_000n])
      expect(() => assertWithin(bounded, amount, "USDC")).not.toThrow();
  });

  it("exclude one base unit less, and say how much it must be", () => {
    expect(() => assertWithin(bounded, 99n, "USDC")).toThrow(
      expect.objectContaining({
        code: "AMOUNT_BELOW_MINIMUM",
        message: "a transfer in USDC is at least 0.0001",
        facts: { unit: "USDC", got: 99n, limit: 100n },
      }),
    );
  });

  it("exclude one base unit more, and say how much it may be", () => {
    expect(() => assertWithin(bounded, 5_000_001n, "USDC")).toThrow(
      expect.objectContaining({
        code: "AMOUNT_ABOVE_MAXIMUM",
        message: "a transfer in USDC is at most 5",
        facts: { unit: "USDC", got: 5_000_001n, limit: 5_000_000n },
      }),
    );
  });

  it("may be one and the same amount, or close the unit for transfers", () => {
    expect(() => assertWithin(terms({ minimum: 7n, maximum: 7n }), 7n, "USDC")).not.toThrow();
    expect(() => assertWithin(terms({ maximum: 0n }), 1n, "USDC")).toThrow(
      expect.objectContaining({ code: "AMOUNT_ABOVE_MAXIMUM" }),
    );
  });
});

describe("a unit without terms", () => {
  it.each(unitCodes)("of %s costs nothing and takes any amount but none", (unit) => {
    const free = freeTerms(unit);
    expect(free.unit).toBe(unit);
    expect(feeUp(free, maxAmount)).toBe(0n);
    expect(() => assertWithin(free, 1n, unit)).not.toThrow();
    expect(() => assertWithin(free, maxAmount, unit)).not.toThrow();
    expect(() => assertWithin(free, 0n, unit)).toThrow(
      expect.objectContaining({ code: "AMOUNT_BELOW_MINIMUM" }),
    );
  });
});
