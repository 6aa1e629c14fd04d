import { getAddress } from "viem";
import { expect, test } from "vitest";
import { budgetFigures } from "#offchain/features/overview/overview.ts";
import { budgetsOf } from "#offchain/features/overview/wallets.ts";
import type { BudgetView } from "#offchain/features/treasury/service.ts";
import { headlineWords } from "@/features/overview/words.ts";

const now = 1_800_000_000_000;
const usdc = { token: getAddress(`0x${"a1".repeat(20)}`), unit: "USDC", decimals: 6, known: true } as const;
const { decimals: _, ...unit } = usdc;
const money = (amount: string) => ({ amount, ...unit });
let spenders = 16;

function budget(limit: string, spent: string, changes: Partial<BudgetView> = {}): BudgetView {
  spenders += 1;
  return {
    spender: getAddress(`0x${spenders.toString(16).repeat(20)}`),
    spenderName: null,
    ...usdc,
    approvalAbove: money("1"),
    validUntil: now + 1,
    recipientsOnly: false,
    frozen: false,
    windows: [
      { window: "daily", limit: money(limit), spent: money(spent), left: money("1"), resetsAt: null },
    ],
    ...changes,
  };
}

test("frozen and ended budgets are in no figure; agents without a daily limit are counted, once each", () => {
  const free = budget("unlimited", "0");
  const budgets = [
    budget("100", "40"),
    budget("50", "9", { validUntil: null }),
    budget("1000", "3", { frozen: true }),
    budget("1000", "3", { validUntil: now }),
    free,
    { ...free, token: getAddress(`0x${"b2".repeat(20)}`) },
    budget("unlimited", "0", { frozen: true }),
  ];
  expect(budgetFigures(budgets, usdc, now)).toEqual({
    spentToday: money("49"),
    budgetToday: money("150"),
    others: [],
    agentsWithoutLimit: 1,
  });
});

test("a wallet's budget says whether anything can be spent from it", () => {
  const frozen = budget("500", "0", { frozen: true });
  expect(budgetsOf(frozen.spender, [frozen], usdc.token).budget).toMatchObject({
    frozen: true,
    validUntil: now + 1,
  });
});

test("the figure says what it is, and what it does not have", () => {
  expect(headlineWords.spent).toBe("Spent within budgets in the last day");
  expect(headlineWords.unlimited(1)).toMatch(/^and 1 agent without a daily limit/);
});
