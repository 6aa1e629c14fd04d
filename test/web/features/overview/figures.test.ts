import { createElement } from "react";
import { getAddress } from "viem";
import { expect, test } from "vitest";
import { budgetFigures } from "#offchain/features/overview/overview.ts";
import { budgetsOf } from "#offchain/features/overview/wallets.ts";
import type { BudgetView } from "#offchain/features/treasury/service.ts";
import { Headline } from "@/features/overview/Headline.tsx";
import { headlineWords } from "@/features/overview/words.ts";
import { shown } from "../../support/shown.ts";

const now = 1_800_000_000_000;
const usdc = { token: getAddress(`0x${"a1".repeat(20)}`), unit: "USDC", decimals: 6, known: true } as const;
const { decimals: _, ...unit } = usdc;
const money = (amount: string) => ({ amount, ...unit });
const payments = {
  total: 0,
  value: { amount: "0", unit: "USDC" },
  others: [],
  perSecond: 0,
  payers: 0,
  payees: 0,
  pending: 0,
  settled: 0,
};
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

const held = (...budgets: BudgetView[]) => budgets.map((one) => ({ budget: one, isRemoved: false }));

test("all that was spent counts, also from a budget that is stopped; only its limit is left out", () => {
  const free = budget("unlimited", "0");
  const budgets = [
    ...held(
      budget("100", "40"),
      budget("50", "9", { validUntil: null }),
      budget("1000", "3", { frozen: true }),
      budget("1000", "4", { validUntil: now }),
      free,
      { ...free, token: getAddress(`0x${"b2".repeat(20)}`) },
    ),
    { budget: budget("1000", "5"), isRemoved: true },
  ];
  expect(budgetFigures(budgets, usdc, now)).toEqual({
    spentToday: money("61"),
    stoppedToday: money("12"),
    budgetToday: money("150"),
    others: [],
    agentsWithoutLimit: 1,
  });
});

test("a stopped agent without a daily limit is told while it may have spent in the last day", () => {
  const day = 86_400_000;
  const withWeek = (spent: string) => {
    const one = budget("unlimited", "0", { frozen: true });
    const [daily] = one.windows;
    if (!daily) throw new Error("the budget has no window");
    return {
      ...one,
      windows: [daily, { ...daily, window: "weekly", limit: money("7"), spent: money(spent) }],
    };
  };
  const counted = (one: BudgetView) => budgetFigures(held(one), usdc, now).agentsWithoutLimit;
  expect(counted(budget("unlimited", "0", { frozen: true }))).toBe(1);
  expect(counted(budget("unlimited", "0", { validUntil: now - day + 1 }))).toBe(1);
  expect(counted(budget("unlimited", "0", { validUntil: now - day }))).toBe(0);
  expect(counted(withWeek("0.5") as BudgetView)).toBe(1);
  expect(counted(withWeek("0") as BudgetView), "its week says that it has spent nothing").toBe(0);
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

test("what was spent stands there, whatever is stopped: told apart, and also while the Treasury is paused", () => {
  const figures = {
    spentToday: money("20"),
    stoppedToday: money("13"),
    budgetToday: money("100"),
    others: [],
    agentsWithoutLimit: 0,
  };
  const page = (isPaused: boolean) =>
    shown(createElement(Headline), [
      ["overview", { treasury: { address: usdc.token, balances: [], ...figures }, payments }],
      ["treasury", { paused: isPaused }],
    ]);
  expect(page(false)).toMatch(/20\.00 USDC of 100\.00 USDC/);
  expect(page(false)).toMatch(
    /13\.00 USDC of it from budgets that are stopped by now, whose limits are left out/,
  );
  expect(page(true)).toMatch(/20\.00 USDC/);
  expect(page(true)).toContain(headlineWords.paused);
  expect(page(true)).not.toContain("of 100");
});
