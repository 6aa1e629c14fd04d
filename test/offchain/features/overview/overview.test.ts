import { expect, test } from "vitest";
import { dailyTotals } from "#offchain/features/overview/overview.ts";
import type { BudgetView } from "#offchain/features/treasury/service.ts";

const usdc = (amount: string) => ({ amount, unit: "USDC" as const });
const budget = (limit: string, spent: string): BudgetView => ({
  spender: `0x${"1".repeat(40)}`,
  spenderName: null,
  token: `0x${"2".repeat(40)}`,
  unit: "USDC",
  approvalAbove: usdc("1"),
  validUntil: null,
  frozen: false,
  windows: [{ window: "daily", limit: usdc(limit), spent: usdc(spent), left: usdc("0"), resetsAt: null }],
});

test("today's totals add up the agents' daily windows; a budget without a daily limit adds nothing", () => {
  expect(dailyTotals([budget("100", "40.5"), budget("50", "9.5"), budget("unlimited", "7")])).toEqual({
    spentToday: usdc("50"),
    budgetToday: usdc("150"),
  });
});
