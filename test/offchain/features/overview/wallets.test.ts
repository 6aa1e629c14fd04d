import { getAddress, zeroAddress } from "viem";
import { expect, test } from "vitest";
import { budgetsOf, channelsView, groupByHolder } from "#offchain/features/overview/wallets.ts";
import type { BudgetView } from "#offchain/features/treasury/service.ts";

const account = (name: string, balance: bigint, unit: "USDC" | "ATP" = "USDC") => ({
  name,
  unit,
  balance,
  pending: 1n,
  incoming: 2n,
});

test("a holder's channels are one line, and units stay apart", () => {
  const lines = groupByHolder([
    { holder: "0xa", account: account("channels", 10n) },
    { holder: "0xa", account: account("channels", 5n) },
    { holder: "0xa", account: account("agent:0xA", 3n, "ATP") },
    { holder: "0xb", account: account("channels", 7n) },
  ]);
  expect(lines.get("0xa")).toEqual([
    account("agent:0xA", 3n, "ATP"),
    { name: "channels", unit: "USDC", balance: 15n, pending: 2n, incoming: 4n },
  ]);
  expect(lines.get("0xb")).toEqual([account("channels", 7n)]);
});

test("all cleared channels that pay somebody count as one more, and add what they credited", () => {
  const party = {
    unit: "USDC" as const,
    paying: 1,
    earning: 2,
    deposited: 5n,
    spent: 4n,
    earned: 1_000_000n,
  };
  expect(channelsView([party], 500_000n)).toMatchObject({
    paying: 1,
    earning: 3,
    earned: { amount: "1.5", unit: "USDC" },
  });
  const inAvt = { ...party, unit: "AVT" as const, earned: 10n ** 18n };
  expect(channelsView([party, inAvt], undefined)).toMatchObject({
    paying: 2,
    earned: { amount: "1", unit: "USDC" },
    others: [{ earned: { amount: "1", unit: "AVT" } }],
  });
  expect(channelsView(undefined, undefined)).toMatchObject({ paying: 0, earning: 0 });
});

test("a spender's budgets in other tokens than USDC stand beside the one in USDC, each in its own unit", () => {
  const [usdc, spender] = [getAddress(`0x${"a1".repeat(20)}`), getAddress(`0x${"b1".repeat(20)}`)];
  const budget = (token: string, unit: string, left: string) => {
    const amount = (value: string) => ({ amount: value, unit, token, known: true });
    const daily = {
      window: "daily",
      limit: amount("9"),
      spent: amount("0"),
      left: amount(left),
      resetsAt: null,
    };
    return { spender, token, windows: [daily] } as unknown as BudgetView;
  };
  const other = { ...budget(usdc, "USDC", "1"), spender: zeroAddress };
  const budgets = [other, budget(zeroAddress, "ETH", "2"), budget(usdc, "USDC", "3")];
  expect(budgetsOf(spender, budgets, usdc)).toMatchObject({
    budget: { leftToday: { amount: "3", unit: "USDC" } },
    otherBudgets: [{ leftToday: { amount: "2", unit: "ETH" }, limitToday: { amount: "9", unit: "ETH" } }],
  });
  expect(budgetsOf(spender, [budget(zeroAddress, "ETH", "2")], usdc)).toMatchObject({ budget: null });
});
