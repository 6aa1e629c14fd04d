import { createElement } from "react";
import { describe, expect, test } from "vitest";
import { ProposalSummary } from "@/features/approvals/Calls.tsx";
import { replacedBy } from "@/features/approvals/reading/replaced.ts";
import type { Budget } from "@/lib/model.ts";
import { owners, proposalOf } from "../../../support/proposal.ts";
import { shown } from "../../../support/shown.ts";

const [spender] = owners;
const token = `0x${"5".repeat(40)}` as const;
const money = (amount: string) => ({ amount, unit: "USDC", token, known: true });
const windows = [
  ["transaction", "100"],
  ["hourly", "200"],
  ["daily", "500"],
  ["weekly", "unlimited"],
  ["monthly", "9000"],
] as const;
const standing: Budget = {
  spender,
  spenderName: null,
  token,
  unit: "USDC",
  decimals: 6,
  known: true,
  approvalAbove: money("50"),
  validUntil: 1_900_000_000_000,
  recipientsOnly: true,
  frozen: false,
  windows: windows.map(([window, amount]) => ({
    window,
    limit: money(amount),
    spent: money("0"),
    left: money(amount),
    resetsAt: null,
  })),
};

const none = String(2n ** 128n - 1n);
const same = {
  perTransaction: "100000000",
  approvalAbove: "50000000",
  hourly: "200000000",
  daily: "500000000",
  weekly: none,
  monthly: "9000000000",
  validUntil: 1_900_000_000,
  recipientsOnly: true,
};
const [call] = proposalOf(0).calls;
if (!call) throw new Error("the proposal has no call");
const setting = (terms: object, changes: object = {}) => ({
  ...call,
  ...changes,
  decoded: {
    contract: "Treasury",
    function: "setBudget",
    args: [
      { name: "spender", type: "address", value: spender.toLowerCase() },
      { name: "token", type: "address", value: token },
      { name: "terms", type: "tuple", value: JSON.stringify({ ...same, ...terms }) },
    ],
  },
});

describe("what a budget that is set changes", () => {
  test("each limit that is another than before, and none that is the same", () =>
    expect(replacedBy(setting({ daily: "50000000000", weekly: "1", monthly: none }), [standing])).toEqual({
      unit: "USDC",
      limits: [
        { limit: "daily", before: "500", after: "50000" },
        { limit: "weekly", before: null, after: "0.000001" },
        { limit: "monthly", before: "9000", after: null },
      ],
      validUntil: null,
      recipientsOnly: null,
    }));
  test("until when it is valid, and who may be paid", () =>
    expect(
      replacedBy(setting({ validUntil: 1_900_000_001, recipientsOnly: false }), [standing]),
    ).toMatchObject({
      limits: [],
      validUntil: { before: 1_900_000_000_000, after: 1_900_000_001_000 },
      recipientsOnly: { before: true, after: false },
    }));
  test("nothing where no budget stands in its place, and nobody knows what where its terms cannot be read", () => {
    expect(replacedBy(setting({}), [{ ...standing, token: spender }])).toBeNull();
    expect(replacedBy(setting({ daily: "much" }), [standing])).toBe("unread");
  });
});

describe("what whoever signs reads of it", () => {
  const { treasury } = proposalOf(0);
  const read = (calls: (typeof call)[], budgets: readonly Budget[] | null) =>
    shown(createElement(ProposalSummary, { proposal: proposalOf(0, { calls }) }), [
      ["treasury", { address: treasury }],
      ...(budgets ? ([["budgets", { items: budgets }]] as [string, unknown][]) : []),
    ]);
  test("the limit before and after", () =>
    expect(read([setting({ daily: "50000000000" })], [standing])).toMatch(
      /daily limit: 500\.00 USDC → 50,000\.00 USDC/,
    ));
  test("that it replaces nothing, and that it is not known what it replaces", () => {
    expect(read([setting({})], [])).toContain("It replaces no budget");
    expect(read([setting({})], [standing])).toContain("Nothing of the budget that stands.");
    expect(read([setting({})], null)).toContain("Reading the budget that it replaces");
    const elsewhere = setting({}, { to: spender });
    expect(read([elsewhere], [standing])).toContain("The budget that it replaces could not be read.");
  });
  test("nothing of the kind of a call that sets no budget", () =>
    expect(read([call], [standing])).not.toContain("Changes"));
});
