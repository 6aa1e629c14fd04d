import { describe, expect, test } from "vitest";
import {
  allowances,
  brokenLimit,
  charge,
  giveBack,
  type Spending,
  windowsAt,
} from "#offchain/features/ledger/rules/budget.ts";

const at = (text: string) => Date.parse(`${text}Z`);
const nothing = (): Spending => ({ hourly: 0n, daily: 0n, weekly: 0n, monthly: 0n, chargedAt: 0 });

describe("windows", () => {
  test("begin and end on the calendar, weeks on Monday", () => {
    const { startsAt, resetsAt } = windowsAt(at("2026-03-01T23:59:59.999"));
    expect(startsAt).toEqual({
      hourly: at("2026-03-01T23:00"),
      daily: at("2026-03-01T00:00"),
      weekly: at("2026-02-23T00:00"),
      monthly: at("2026-03-01T00:00"),
    });
    expect(resetsAt).toEqual({
      hourly: at("2026-03-02T00:00"),
      daily: at("2026-03-02T00:00"),
      weekly: at("2026-03-02T00:00"),
      monthly: at("2026-04-01T00:00"),
    });
  });
});

describe("a limit", () => {
  const now = at("2026-03-04T12:30");

  test("is what is left of it, and says when it starts anew", () => {
    const spending = nothing();
    charge(spending, 30n, windowsAt(now), now);
    expect(allowances({ transaction: 50n, daily: 100n }, spending, windowsAt(now))).toEqual([
      { period: "transaction", limit: 50n, spent: 0n, left: 50n, resetsAt: null },
      { period: "daily", limit: 100n, spent: 30n, left: 70n, resetsAt: at("2026-03-05T00:00") },
    ]);
  });

  test("starts anew with its window, while the longer ones run on", () => {
    const spending = nothing();
    charge(spending, 30n, windowsAt(now), now);
    const later = at("2026-03-04T13:00");
    charge(spending, 5n, windowsAt(later), later);
    expect(spending).toMatchObject({ hourly: 5n, daily: 35n, weekly: 35n, monthly: 35n });
  });

  test("that gives way last is the one that is named, a week in which the month ends too", () => {
    const lastOfMonth = windowsAt(at("2026-03-31T12:00"));
    expect(brokenLimit(11n, { weekly: 10n, monthly: 10n }, nothing(), lastOfMonth)?.period).toBe("weekly");
    expect(brokenLimit(11n, { weekly: 10n, monthly: 10n }, nothing(), windowsAt(now))?.period).toBe(
      "monthly",
    );
  });

  test("of every kind that gives way last is the one that is named", () => {
    const windows = windowsAt(now);
    expect(brokenLimit(11n, { hourly: 10n, weekly: 10n }, nothing(), windows)?.period).toBe("weekly");
    expect(brokenLimit(11n, { transaction: 10n, weekly: 10n }, nothing(), windows)?.period).toBe(
      "transaction",
    );
    expect(brokenLimit(10n, { transaction: 10n, weekly: 10n }, nothing(), windows)).toBeNull();
  });

  test("gets back what was held in it, and only in the windows of then", () => {
    const spending = nothing();
    charge(spending, 30n, windowsAt(now), now);
    const tomorrow = at("2026-03-05T00:00");
    charge(spending, 7n, windowsAt(tomorrow), tomorrow);
    giveBack(spending, 30n, now, windowsAt(tomorrow), tomorrow);
    expect(spending).toMatchObject({ hourly: 7n, daily: 7n, weekly: 7n, monthly: 7n });
  });
});
