import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CarbonBudget,
  defaultCarbonBudget,
  noCarbonUsage,
  recordCarbon,
  releaseCarbon,
  reserveCarbon,
} from "#offchain/features/carbon/rules/budget.ts";

const now = Date.UTC(2026, 5, 15, 12);
const budget: CarbonBudget = {
  dailyMicrograms: 1_000n,
  monthlyMicrograms: 2_500n,
  alertBps: 8_000n,
  blocking: true,
};

describe("a carbon budget", () => {
  it("allows what reaches the limit exactly and refuses a microgram more", () => {
    const full = reserveCarbon(budget, noCarbonUsage(now), 1_000n, now).usage;
    expect(full.reservedMicrograms).toBe(1_000n);
    expect(() => reserveCarbon(budget, full, 1n, now)).toThrow(
      expect.objectContaining({
        code: "CARBON_BUDGET_EXCEEDED",
        facts: expect.objectContaining({ period: "day", gotMicrograms: 1_001n, limitMicrograms: 1_000n }),
      }),
    );
  });

  it("counts what is reserved, so that two jobs cannot share the last gram", () => {
    const first = reserveCarbon(budget, noCarbonUsage(now), 600n, now).usage;
    expect(() => reserveCarbon(budget, first, 600n, now)).toThrow();
    const recorded = recordCarbon(budget, first, 600n, 300n, now).usage;
    expect(reserveCarbon(budget, recorded, 600n, now).usage.reservedMicrograms).toBe(600n);
  });

  it("gives back the reservation of a job that did not run", () => {
    const first = reserveCarbon(budget, noCarbonUsage(now), 1_000n, now).usage;
    const released = releaseCarbon(first, 1_000n, now);
    expect(reserveCarbon(budget, released, 1_000n, now).exceeded).toEqual([]);
  });

  it("records what happened even above the limit", () => {
    const reserved = reserveCarbon(budget, noCarbonUsage(now), 900n, now).usage;
    const decision = recordCarbon(budget, reserved, 900n, 1_200n, now);
    expect(decision.usage.day.usedMicrograms).toBe(1_200n);
    expect(decision.exceeded.map(({ period }) => period)).toEqual(["day"]);
  });

  it("only reports when it does not block", () => {
    const decision = reserveCarbon({ ...budget, blocking: false }, noCarbonUsage(now), 3_000n, now);
    expect(decision.exceeded.map(({ period }) => period)).toEqual(["day", "month"]);
    expect(decision.usage.reservedMicrograms).toBe(3_000n);
  });

  it("alerts once a period, from 80 %", () => {
    const below = recordCarbon(budget, noCarbonUsage(now), 0n, 799n, now);
    expect(below.alerts).toEqual([]);
    const at = recordCarbon(budget, below.usage, 0n, 1n, now);
    expect(at.alerts).toMatchObject([{ period: "day", micrograms: 800n, limitMicrograms: 1_000n }]);
    expect(recordCarbon(budget, at.usage, 0n, 50n, now).alerts).toEqual([]);
  });

  it("begins anew at midnight UTC, while the month goes on", () => {
    const lastMoment = Date.UTC(2026, 5, 15, 23, 59, 59, 999);
    const full = recordCarbon(budget, noCarbonUsage(now), 0n, 1_000n, lastMoment).usage;
    const next = recordCarbon(budget, full, 0n, 1_000n, lastMoment + 1).usage;
    expect(next.day).toMatchObject({ startsAt: Date.UTC(2026, 5, 16), usedMicrograms: 1_000n });
    expect(next.month.usedMicrograms).toBe(2_000n);
    expect(() => reserveCarbon(budget, next, 1n, lastMoment + 1)).toThrow();
  });

  it("begins anew with the calendar month", () => {
    const lastMoment = Date.UTC(2026, 5, 30, 23, 59, 59, 999);
    const full = recordCarbon(
      { ...budget, blocking: false },
      noCarbonUsage(now),
      0n,
      2_500n,
      lastMoment,
    ).usage;
    const next = reserveCarbon(budget, full, 1_000n, lastMoment + 1).usage;
    expect(next.month).toMatchObject({ startsAt: Date.UTC(2026, 6, 1), usedMicrograms: 0n });
  });

  it("has the seed's limits by default", () => {
    expect(defaultCarbonBudget).toEqual({
      dailyMicrograms: 1_000_000_000n,
      monthlyMicrograms: 25_000_000_000n,
      alertBps: 8_000n,
      blocking: false,
    });
  });

  it("never lets a blocking limit be passed by jobs that emit what they reserved", () => {
    const amounts = fc.array(fc.record({ amount: fc.bigInt(1n, 900n), runs: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(amounts, (jobs) => {
        let usage = noCarbonUsage(now);
        for (const { amount, runs } of jobs) {
          try {
            usage = reserveCarbon(budget, usage, amount, now).usage;
          } catch {
            continue;
          }
          usage = runs
            ? recordCarbon(budget, usage, amount, amount, now).usage
            : releaseCarbon(usage, amount, now);
        }
        expect(usage.day.usedMicrograms).toBeLessThanOrEqual(budget.dailyMicrograms);
        expect(usage.reservedMicrograms).toBe(0n);
      }),
    );
  });
});
