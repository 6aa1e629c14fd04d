import { createElement } from "react";
import { expect, test } from "vitest";
import { Budgets } from "@/features/wallets/Budgets.tsx";
import { budgetEnd, budgetStop } from "@/features/wallets/words.ts";
import type { Budget } from "@/lib/model.ts";
import { shown } from "../../support/shown.ts";

const spender = `0x${"1".repeat(40)}` as const;
const unit = { token: `0x${"2".repeat(40)}` as const, unit: "USDC", known: true };
const money = (amount: string) => ({ amount, ...unit });

const budget = (changes: Partial<Budget>): Budget => ({
  spender,
  spenderName: null,
  ...unit,
  decimals: 6,
  approvalAbove: money("1"),
  validUntil: null,
  recipientsOnly: false,
  frozen: false,
  windows: [
    {
      window: "daily",
      limit: money("100"),
      spent: money("40"),
      left: money("60"),
      resetsAt: Date.UTC(2031, 0, 1),
    },
  ],
  ...changes,
});

/** What the agent's own page shows of it, in the epoch's first moment. */
const page = (changes: Partial<Budget>) =>
  shown(createElement(Budgets, { spender }), [["budgets", { items: [budget(changes)] }]]);

test("an ended budget is told as one of which nothing can be spent", () => {
  const ended = page({ validUntil: 0 });
  expect(ended).toMatch(/Ended 1 Jan 1970.*: nothing more can be taken from the Treasury\./);
  expect(ended, "no limit of it comes back").not.toContain("the full limit is available again");
  expect(ended).not.toContain("until 1 Jan 1970");
});

test("a budget that runs says until when, and one without an end does not", () => {
  const running = page({ validUntil: Date.UTC(2031, 1, 3, 4, 5, 6) });
  expect(running).toMatch(/until 3 Feb 2031/);
  expect(running).toContain("the full limit is available again");
  for (const validUntil of [null, Date.UTC(36_812, 0, 1)]) {
    expect(page({ validUntil })).not.toMatch(/until|nothing more can be/i);
    expect(budgetEnd(budget({ validUntil }), 0)).toBeNull();
  }
});

test("whatever stops it is told, the Treasury's pause before all", () => {
  const ended = budget({ validUntil: 5, frozen: true });
  expect(budgetStop(ended, 5, true)).toMatch(
    /^The Treasury is paused: nothing more can be taken from it\. What the agent holds itself/,
  );
  expect(budgetStop(ended, 5, false)).toMatch(
    /^The agent is frozen: nothing more .* in channels, it can still spend\.$/,
  );
  expect(budgetStop({ ...ended, frozen: false }, 5, false)).toMatch(
    /^Ended .*: nothing more can be taken from the Treasury\./,
  );
  expect(budgetStop({ ...ended, frozen: false }, 4, false)).toBeNull();
});

test("budgets that are not known yet are told as that, and not as none", () => {
  expect(shown(createElement(Budgets, { spender }))).toContain("Loading the account's budgets");
  expect(shown(createElement(Budgets, { spender }), [["budgets", { items: [] }]])).toBe("");
});
