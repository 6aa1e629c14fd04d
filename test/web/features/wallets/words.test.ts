import { expect, test } from "vitest";
import { budgetStanding } from "@/features/wallets/words.ts";

const now = 1_800_000_000_000;
const money = (amount: string) => ({
  amount,
  unit: "USDC",
  token: `0x${"2".repeat(40)}` as const,
  known: true,
});
const budget = {
  leftToday: money("500"),
  limitToday: money("500"),
  frozen: false,
  validUntil: (now + 1) as number | null,
};

test("what is left is said only of a budget that can be spent from", () => {
  expect(budgetStanding(budget, now, false)).toBeNull();
  expect(budgetStanding({ ...budget, validUntil: null }, now, false)).toBeNull();
  expect(budgetStanding({ ...budget, frozen: true }, now, false)).toBe("Frozen: no more from the Treasury");
  expect(budgetStanding({ ...budget, validUntil: now }, now, false)).toBe(
    "Ended: no more USDC from the Treasury",
  );
});

test("without a daily limit there is no amount to be left", () => {
  const unlimited = { ...budget, leftToday: money("unlimited"), limitToday: money("unlimited") };
  expect(budgetStanding(unlimited, now, false)).toBe("No daily limit in USDC");
  expect(budgetStanding({ ...unlimited, frozen: true }, now, false)).toBe(
    "Frozen: no more from the Treasury",
  );
});

test("while the Treasury is paused no budget reads as available", () => {
  expect(budgetStanding(budget, now, true)).toBe("Treasury paused: no more from it");
  expect(budgetStanding({ ...budget, frozen: true }, now, true)).toBe("Treasury paused: no more from it");
});
