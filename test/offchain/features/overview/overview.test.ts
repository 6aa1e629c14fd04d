import { zeroAddress } from "viem";
import { expect, test } from "vitest";
import { dailyTotals } from "#offchain/features/overview/overview.ts";
import type { HeldBudget } from "#offchain/features/treasury/service.ts";

const usdc = { token: `0x${"2".repeat(40)}`, unit: "USDC", decimals: 6, known: true } as const;
const coin = { token: zeroAddress, unit: "ETH", decimals: 18, known: true } as const;
const foreign = {
  token: `0x${"3".repeat(40)}`,
  unit: `base units of 0x${"3".repeat(40)}`,
  decimals: 0,
  known: false,
} as const;
type Unit = typeof usdc | typeof coin | typeof foreign;

const amountOf =
  ({ token, unit, known }: Unit) =>
  (amount: string) => ({ amount, token, unit, known });

type Told = { budget: HeldBudget["budget"]; isStopped: boolean };

function budget(limit: string, spent: string, unit: Unit = usdc, isStopped = false): Told {
  const amount = amountOf(unit);
  const told: Told["budget"] = {
    spender: `0x${"1".repeat(40)}`,
    spenderName: null,
    ...unit,
    approvalAbove: amount("1"),
    validUntil: null,
    recipientsOnly: false,
    frozen: false,
    windows: [
      { window: "daily", limit: amount(limit), spent: amount(spent), left: amount("0"), resetsAt: null },
    ],
  };
  return { budget: told, isStopped };
}

test("today's totals add up the agents' daily windows; a budget without a daily limit adds nothing", () => {
  const inUsdc = amountOf(usdc);
  expect(dailyTotals([budget("100", "40.5"), budget("50", "9.5"), budget("unlimited", "7")], usdc)).toEqual({
    spentToday: inUsdc("50"),
    stoppedToday: inUsdc("0"),
    budgetToday: inUsdc("150"),
    others: [],
  });
});

test("units are never added across tokens: each has totals of its own, with its own decimals", () => {
  const budgets = [
    budget("2", "0.5", coin),
    budget("100", "1"),
    budget("7", "3", foreign, true),
    budget("1.5", "0", coin),
  ];
  expect(dailyTotals(budgets, usdc)).toEqual({
    spentToday: amountOf(usdc)("1"),
    stoppedToday: amountOf(usdc)("0"),
    budgetToday: amountOf(usdc)("100"),
    others: [
      {
        spentToday: amountOf(coin)("0.5"),
        stoppedToday: amountOf(coin)("0"),
        budgetToday: amountOf(coin)("3.5"),
      },
      {
        spentToday: amountOf(foreign)("3"),
        stoppedToday: amountOf(foreign)("3"),
        budgetToday: amountOf(foreign)("0"),
      },
    ],
  });
  expect(dailyTotals([budget("2", "0.5", coin)], usdc)).toMatchObject({
    spentToday: amountOf(usdc)("0"),
    budgetToday: amountOf(usdc)("0"),
  });
});
