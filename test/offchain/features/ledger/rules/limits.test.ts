import { describe, expect, it } from "vitest";
import { addSchedule } from "#offchain/features/ledger/actions/schedules.ts";
import {
  feesBelievedMs,
  groupOperationsMax,
  passMax,
  remembered,
  scheduleEveryMaxMs,
  scheduleEveryMinMs,
  scheduleRunsMax,
  waitingOperationsMax,
} from "#offchain/features/ledger/rules/limits.ts";

describe("a schedule", () => {
  const schedule = {
    key: "rent",
    to: "treasury:system",
    unit: "USDC",
    amount: "1",
    startsAt: 1_760_000_000_000,
  };
  const takes = (change: object) => addSchedule.input.safeParse({ ...schedule, ...change }).success;

  it.each([
    ["everyMs", scheduleEveryMinMs, scheduleEveryMaxMs],
    ["runsMax", 1, scheduleRunsMax],
  ])("takes %s from %s to %s, both included, and nothing beside", (field, least, most) => {
    const taken = [least - 1, least, least + 1, most - 1, most, most + 1].map((value) =>
      takes({ [field]: value }),
    );
    expect(taken).toEqual([false, true, true, true, true, false]);
    expect([0.5, -1, Number.NaN, Number.POSITIVE_INFINITY].map((value) => takes({ [field]: value }))).toEqual(
      [false, false, false, false],
    );
  });

  it("may run once a minute, and once in a leap year", () => {
    expect(scheduleEveryMinMs).toBe(60_000);
    expect(scheduleEveryMaxMs).toBe(Date.UTC(2029, 0) - Date.UTC(2028, 0));
  });

  it("ends before time as whole milliseconds ends, however long it runs", () => {
    const last = schedule.startsAt + scheduleRunsMax * scheduleEveryMaxMs;
    expect(Number.isSafeInteger(last)).toBe(true);
    expect(new Date(last).getTime()).toBe(last);
  });
});

describe("the ledger's own bounds", () => {
  it("let a job's pass into one transaction, and several transactions wait", () => {
    expect(passMax).toBeLessThan(groupOperationsMax);
    expect(waitingOperationsMax).toBeGreaterThanOrEqual(2 * groupOperationsMax);
  });

  it("keep a whole group in memory: what it touches is not forgotten while it is written", () => {
    for (const most of Object.values(remembered)) expect(most).toBeGreaterThan(2 * groupOperationsMax);
  });

  it("believe fees for a moment only: two instances disagree for no longer than a person notices", () => {
    expect(feesBelievedMs).toBeGreaterThan(0);
    expect(feesBelievedMs).toBeLessThanOrEqual(1_000);
  });
});
