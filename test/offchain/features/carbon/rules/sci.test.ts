import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EmbodiedShare, embodiedOf, sciOf } from "#offchain/features/carbon/rules/sci.ts";

/**
 * Software Carbon Intensity 1.1 (ISO/IEC 21031:2024):
 *   SCI = ((E · I) + M) per R        M = TE · TS · RS,  TS = TiR / EL,  RS = RR / ToR
 * All expected values are worked out by hand from these two lines.
 */
const year = 365n * 86_400_000n;

const share = (change: Partial<EmbodiedShare> = {}): EmbodiedShare => ({
  totalMicrograms: 1_000_000n,
  reservedMs: 1n,
  lifespanMs: 1n,
  reservedParts: 1n,
  totalParts: 1n,
  ...change,
});

describe("the embodied part M", () => {
  it("is all of TE for all parts over the whole life, and nothing for no time or no part", () => {
    expect(embodiedOf(share({ reservedMs: 4n * year, lifespanMs: 4n * year }))).toBe(1_000_000n);
    expect(embodiedOf(share({ reservedMs: 0n }))).toBe(0n);
    expect(embodiedOf(share({ reservedParts: 0n }))).toBe(0n);
    expect(embodiedOf(share({ totalMicrograms: 0n }))).toBe(0n);
  });

  it("is TE · TiR/EL · RR/ToR: 1 344 kg, two hours of four years, 8 of 64 cores", () => {
    // 1 344 kg = 1.344e12 µg; 7.2e6 / 1.26144e11 ms = 1/17 520; 8/64 = 1/8; 1.344e12 / 140 160 = 9 589 041.09…
    expect(
      embodiedOf({
        totalMicrograms: 1_344_000_000_000n,
        reservedMs: 7_200_000n,
        lifespanMs: 4n * year,
        reservedParts: 8n,
        totalParts: 64n,
      }),
    ).toBe(9_589_041n);
  });

  it.each([
    [1n, 2n, 1n],
    [1n, 3n, 0n],
    [2n, 3n, 1n],
    [3n, 2n, 2n],
  ])("rounds %s/%s µg to %s, a half up", (reservedMs, lifespanMs, expected) => {
    expect(embodiedOf(share({ totalMicrograms: 1n, reservedMs, lifespanMs }))).toBe(expected);
  });

  it("rounds once: a third of the life of a third of the parts is a ninth", () => {
    const ninth = share({ totalMicrograms: 9n, lifespanMs: 3n, totalParts: 3n });
    expect(embodiedOf(ninth)).toBe(1n);
    expect(embodiedOf({ ...ninth, totalMicrograms: 4n })).toBe(0n);
    expect(embodiedOf({ ...ninth, totalMicrograms: 5n })).toBe(1n);
  });

  it("is nearest to the exact share, for any share", () => {
    const positive = fc.bigInt(1n, 10n ** 15n);
    fc.assert(
      fc.property(positive, positive, positive, positive, positive, (total, time, life, parts, all) => {
        const rounded = embodiedOf({
          totalMicrograms: total,
          reservedMs: time,
          lifespanMs: life,
          reservedParts: parts,
          totalParts: all,
        });
        // |rounded − n/d| ≤ ½, and a half goes up: −d ≤ 2(n − rounded·d) < d.
        const [n, d] = [total * time * parts, life * all];
        const twice = 2n * (n - rounded * d);
        expect(twice >= -d && twice < d).toBe(true);
      }),
    );
  });
});

describe("software carbon intensity", () => {
  it("is (E·I + M) / R: 326 667 µg and 46 323 µg for 100 requests", () => {
    expect(sciOf(326_667n, 46_323n, 100n)).toBe(3_730n);
  });

  it("is the sum itself for one functional unit, with either part alone", () => {
    expect(sciOf(7n, 0n, 1n)).toBe(7n);
    expect(sciOf(0n, 5n, 1n)).toBe(5n);
    expect(sciOf(0n, 0n, 3n)).toBe(0n);
  });

  it("adds before it divides and rounds once: two halves are one, not two", () => {
    expect(sciOf(1n, 1n, 2n)).toBe(1n);
    expect(sciOf(1n, 0n, 2n)).toBe(1n);
    expect(sciOf(1n, 0n, 3n)).toBe(0n);
  });
});
