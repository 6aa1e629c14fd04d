import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { amount, money, unit } from "#offchain/core/schema.ts";
import { formatAmount, parseAmount, type UnitCode } from "#offchain/core/unit.ts";
import { budgetPeriods } from "../rules/budget.ts";
import { type Bounds, feeUp, freeTerms } from "../rules/fee.ts";
import type { AccountName } from "../rules/transfer.ts";
import { accountName, allowance, allowanceViews } from "../schema.ts";
import type { Ledger, Standing } from "../service.ts";
import { accountFor, assertNoMirror, positive } from "./access.ts";

const limits = z.object({ account: z.string(), unit, limits: z.array(allowance) }).meta({ id: "Limits" });

export const showLimits = action({
  name: "ledger.limits",
  summary: "An account's spending limits: how much of each is left, and when it starts anew",
  effect: "read",
  resource: "/api/v1/ledger/limits",
  role: "agent",
  input: z.object({ account: accountName.optional(), unit }),
  output: limits,
  run: async (ledger: Ledger, caller, input) => {
    const found = await standingOf(ledger, accountFor(caller, input.account), input.unit);
    return { account: found.name, unit: input.unit, limits: allowanceViews(found.limits, input.unit) };
  },
});

const limit = amount.nullable().optional();

export const setLimits = action({
  name: "ledger.setLimits",
  summary: "Set an account's spending limits; null takes one away, what is not named stays",
  effect: "replace",
  resource: "/api/v1/ledger/limits",
  role: "operator",
  input: z.object({
    account: accountName,
    unit,
    transaction: limit,
    hourly: limit,
    daily: limit,
    weekly: limit,
    monthly: limit,
  }),
  output: limits,
  run: async (ledger: Ledger, _caller, { account, unit: of, ...named }) => {
    const set = Object.fromEntries(
      budgetPeriods.flatMap((period) => {
        const text = named[period];
        return text === undefined ? [] : [[period, text === null ? null : parseAmount(text, of)]];
      }),
    );
    const found = await ledger.setLimits(assertNoMirror(account), of, set);
    return { account: found.name, unit: of, limits: allowanceViews(found.limits, of) };
  },
});

const reasonsAgainst = [
  "AMOUNT_BELOW_MINIMUM",
  "AMOUNT_ABOVE_MAXIMUM",
  "ACCOUNT_SUSPENDED",
  "INSUFFICIENT_FUNDS",
  "BUDGET_EXCEEDED",
] as const;
type ReasonAgainst = (typeof reasonsAgainst)[number];

export const canSpend = action({
  name: "ledger.canSpend",
  summary:
    "Whether an account could spend an amount now, its fee included; if not, what stands against it and until when",
  effect: "read",
  resource: "/api/v1/ledger/can-spend",
  role: "agent",
  input: z.object({ account: accountName.optional(), unit, amount }),
  output: z.object({
    canSpend: z.boolean(),
    /** The error that a transfer to another agent would meet; null when it may go. */
    reason: z.enum(reasonsAgainst).nullable(),
    total: money,
    available: money,
    /** Every limit that is set. */
    limits: z.array(allowance),
    /** Those that the amount would break. */
    broken: z.array(z.enum(budgetPeriods)),
    /** When the last broken limit starts anew; null if none is broken or one never does. */
    possibleAt: z.number().int().nullable(),
  }),
  run: async (ledger: Ledger, caller, input) => {
    const { unit: of } = input;
    const found = await standingOf(ledger, accountFor(caller, input.account), of);
    const asked = positive(input.amount, of);
    const terms = (await ledger.fees()).find((each) => each.unit === of) ?? freeTerms(of);
    const total = asked + feeUp(terms, asked);
    const broken = found.limits.filter(({ left }) => total > left);
    const resets = broken.map(({ resetsAt }) => resetsAt);
    const reason = outOfBounds(terms, asked) ?? reasonAgainst(found, total, broken.length > 0);
    const written = (base: bigint) => ({ amount: formatAmount(base, of), unit: of });
    return {
      canSpend: reason === null,
      reason,
      total: written(total),
      available: written(found.available),
      limits: allowanceViews(found.limits, of),
      broken: broken.map(({ period }) => period),
      possibleAt:
        resets.length === 0 || resets.includes(null) ? null : Math.max(...resets.map((at) => at ?? 0)),
    };
  },
});

function outOfBounds({ minimum, maximum }: Bounds, amount: bigint): ReasonAgainst | null {
  if (amount < minimum) return "AMOUNT_BELOW_MINIMUM";
  return maximum !== null && amount > maximum ? "AMOUNT_ABOVE_MAXIMUM" : null;
}

function reasonAgainst(found: Standing, total: bigint, isBroken: boolean): ReasonAgainst | null {
  if (found.suspended) return "ACCOUNT_SUSPENDED";
  if (found.available < total) return "INSUFFICIENT_FUNDS";
  return isBroken ? "BUDGET_EXCEEDED" : null;
}

async function standingOf(ledger: Ledger, account: AccountName, of: UnitCode) {
  const [found] = await ledger.standings(account, of);
  if (found) return found;
  throw new BursarError("ACCOUNT_UNKNOWN", `there is no account ${account} in ${of}`, {
    facts: { account, unit: of },
  });
}
