import { expect, test } from "vitest";
import {
  assertStart,
  type DueRun,
  isLastRun,
  latestDue,
  runOperation,
} from "#offchain/features/ledger/rules/schedule.ts";

const due: DueRun = {
  scheduleId: 7n,
  run: 3,
  dueAt: 0n,
  skipped: 0n,
  debit: "agent:0xa",
  credit: "agent:0xb",
  unit: "USDC",
  amount: 1_000n,
  reference: null,
  memo: null,
  everyMs: 60_000n,
  runsMax: 5,
  fee: { fixed: 2n, rateBps: 10 },
};

test("a run's key names schedule and run, and its fee is that of its day", () => {
  expect(runOperation(due)).toEqual({
    kind: "transfer",
    key: "schedule:7:3",
    debit: "agent:0xa",
    credit: "agent:0xb",
    unit: "USDC",
    amount: 1_000n,
    mustExist: true,
    reference: "schedule:7",
    fee: { credit: "treasury:system", amount: 3n },
  });
});

test("only what goes from agent to agent costs a fee; the treasury opens with its first income", () => {
  const operation = runOperation({ ...due, credit: "treasury:system", reference: "rent", memo: "June" });
  expect(operation).toMatchObject({ mustExist: false, reference: "rent", memo: "June" });
  expect(operation).not.toHaveProperty("fee");
});

test("a schedule ends with its last run, or with its only one", () => {
  expect(isLastRun(due)).toBe(false);
  expect(isLastRun({ ...due, run: 5 })).toBe(true);
  expect(isLastRun({ ...due, run: 1, everyMs: null })).toBe(true);
});

test("of the times that were missed only the latest is run, and the next stays on its beat", () => {
  expect(latestDue(100n, 60n, 100n)).toEqual({ dueAt: 100n, skipped: 0n });
  expect(latestDue(100n, 60n, 159n)).toEqual({ dueAt: 100n, skipped: 0n });
  expect(latestDue(100n, 60n, 1_000n)).toEqual({ dueAt: 1_000n, skipped: 15n });
  expect(latestDue(100n, null, 1_000n)).toEqual({ dueAt: 100n, skipped: 0n });
});

test("a schedule starts now or later, but for a minute of difference between clocks", () => {
  expect(() => assertStart(1_000_000 - 60_000, 1_000_000)).not.toThrow();
  expect(() => assertStart(1_000_000 - 60_001, 1_000_000)).toThrow(
    expect.objectContaining({
      code: "VALIDATION_INVALID_INPUT",
      fields: [expect.objectContaining({ field: "startsAt", value: 939_999 })],
    }),
  );
});
