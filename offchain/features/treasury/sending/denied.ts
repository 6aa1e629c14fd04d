import { BursarError, type ErrorCode } from "#offchain/core/error.ts";
import { revertOf } from "#offchain/platform/chain/contracts/revert.ts";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";

interface Denial {
  readonly code: ErrorCode;
  readonly why: string;
  /** What a budget's windows are called. */
  readonly period?: "hourly" | "daily" | "weekly" | "monthly";
}

const window = (period: NonNullable<Denial["period"]>, why: string): Denial => ({
  code: "BUDGET_EXCEEDED",
  why,
  period,
});

const none = "the agent has no budget for this token; the owners give one by a proposal";

/** `ITreasury.Reason`, by its number. Above `approvalAbove` nothing is denied: a proposal is opened. */
const denials: ReadonlyMap<number, Denial> = new Map([
  [1, { code: "POLICY_DENIED", why: "an owner has paused all spending" }],
  [2, { code: "VALIDATION_INVALID_INPUT", why: "a payment is of more than nothing" }],
  [3, { code: "POLICY_DENIED", why: none }],
  [4, { code: "POLICY_DENIED", why: "an owner has frozen the agent's budget" }],
  [5, { code: "POLICY_DENIED", why: "the agent's budget has expired" }],
  [6, { code: "POLICY_DENIED", why: "the budget does not allow this recipient" }],
  [7, { code: "POLICY_DENIED", why: "it is above the budget's limit for one payment" }],
  [9, window("hourly", "it is above what the budget leaves for an hour")],
  [10, window("daily", "it is above what the budget leaves for a day")],
  [11, window("weekly", "it is above what the budget leaves for a week")],
  [12, window("monthly", "it is above what the budget leaves for a month")],
  [13, { code: "INSUFFICIENT_FUNDS", why: "the Treasury does not have so much" }],
]);

/** The Treasury would refuse it. */
export const noBudget = ({ agent, token }: { readonly agent: string; readonly token: string }): BursarError =>
  new BursarError("POLICY_DENIED", `the Treasury refuses it: ${none}`, {
    facts: { error: "Treasury_SpendDenied", agent, token },
  });

/**
 * What the Treasury refused a spend for, in words and with amounts in the token's own unit; null for another error.
 * `left` is what might be spent now, `resetsAt` when there is room for the whole, epoch ms; 0: never by waiting.
 */
export function spendDenied(error: unknown, token: string, tokens: Tokens): BursarError | null {
  const revert = revertOf(error);
  if (revert?.error !== "Treasury_SpendDenied") return null;
  const told = JSON.parse(revert.args) as Record<"amount" | "left" | "resetsAt", string> & {
    reason: number | string;
  };
  const denial = denials.get(Number(told.reason));
  if (!denial) return null;
  const amountOf = (base: string) => tokens.amountOf(token, BigInt(base));
  const [got, left] = [amountOf(told.amount), amountOf(told.left)];
  // 32 bytes of seconds may be more than a date can say.
  const resetsAt = Number(told.resetsAt) * 1000;
  const hasMoment = denial.period !== undefined && resetsAt > 0 && resetsAt <= 8.64e15;
  const rest = denial.period === undefined ? "" : `: ${left.amount} ${left.unit} now`;
  const moment = hasMoment ? `, and room for it from ${new Date(resetsAt).toISOString()} on` : "";
  return new BursarError(
    denial.code,
    `the Treasury refuses ${got.amount} ${got.unit}: ${denial.why}${rest}${moment}`,
    {
      facts: {
        error: "Treasury_SpendDenied",
        unit: got.unit,
        got: told.amount,
        left: told.left,
        ...(denial.period && { period: denial.period }),
        ...(hasMoment && { resetsAt }),
      },
      cause: error,
    },
  );
}
