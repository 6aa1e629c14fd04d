import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { spendDenied } from "#offchain/features/treasury/sending/denied.ts";
import { reverted } from "#offchain/platform/chain/contracts/revert.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";

const usdc = `0x${"aa".repeat(20)}`;
const tokens = openTokens(
  new Map([[usdc, { name: "USDC", token: { symbol: "USDC", decimals: 6 } }]]) as never,
  {
    symbol: "ETH",
    decimals: 18,
  },
);
const denied = (reason: number, resetsAt = "0") =>
  reverted({
    contract: "Treasury",
    error: "Treasury_SpendDenied",
    args: JSON.stringify({ reason, amount: "30000000", left: "20000000", resetsAt }),
  });

/** `Reason` of ITreasury.sol; what is not listed is nothing that a spend meets. */
test.each([
  [1, "POLICY_DENIED", "ask", "an owner has paused all spending"],
  [2, "VALIDATION_INVALID_INPUT", "fix", "a payment is of more than nothing"],
  [3, "POLICY_DENIED", "ask", "the agent has no budget for this token; the owners give one by a proposal"],
  [4, "POLICY_DENIED", "ask", "an owner has frozen the agent's budget"],
  [5, "POLICY_DENIED", "ask", "the agent's budget has expired"],
  [6, "POLICY_DENIED", "ask", "the budget does not allow this recipient"],
  [7, "POLICY_DENIED", "ask", "it is above the budget's limit for one payment"],
  [9, "BUDGET_EXCEEDED", "wait", "it is above what the budget leaves for an hour: 20 USDC now"],
  [13, "INSUFFICIENT_FUNDS", "fix", "the Treasury does not have so much"],
])("reason %i is told in words, as %s", (reason, code, remedy, why) => {
  expect(spendDenied(denied(reason), usdc, tokens)).toMatchObject({
    code,
    remedy,
    message: `the Treasury refuses 30 USDC: ${why}`,
    facts: { error: "Treasury_SpendDenied", unit: "USDC", got: "30000000", left: "20000000" },
  });
});

test("a window says when there is room again, if a date can say it", () => {
  expect(spendDenied(denied(10, "1796140800"), usdc, tokens)).toMatchObject({
    message:
      "the Treasury refuses 30 USDC: it is above what the budget leaves for a day: 20 USDC now, and room for it from 2026-12-01T16:00:00.000Z on",
    facts: { period: "daily", resetsAt: 1_796_140_800_000 },
  });
  expect(spendDenied(denied(10, String(2n ** 256n - 1n)), usdc, tokens)?.facts).not.toHaveProperty(
    "resetsAt",
  );
});

test("amounts of a token that nobody configured are base units", () => {
  expect(spendDenied(denied(9), `0x${"bb".repeat(20)}`, tokens)?.message).toContain(
    "refuses 30000000 base units",
  );
});

test("other errors, and reasons that nobody listed, stay what they are", () => {
  expect(spendDenied(new Error("no"), usdc, tokens)).toBeNull();
  expect(spendDenied(new BursarError("CHAIN_UNAVAILABLE", "away"), usdc, tokens)).toBeNull();
  expect(spendDenied(denied(99), usdc, tokens)).toBeNull();
});
