import { parseUnits } from "viem";
import { noLimit } from "#offchain/features/treasury/rules.ts";
import { scaled } from "@/lib/format.ts";
import type { Budget, Call } from "@/lib/model.ts";
import { argumentOf, type BudgetLimit, budgetAmong, budgetLimits } from "../rules.ts";

/** One limit of a budget before and after a call that sets it, in the token's unit; null: none. */
export interface Changed {
  limit: BudgetLimit;
  before: string | null;
  after: string | null;
}

/** What a budget that is set would change. */
export interface Replaced {
  unit: string;
  limits: readonly Changed[];
  /** Epoch ms; null where it stays, or either has no end. */
  validUntil: { before: number | null; after: number | null } | null;
  /** Which recipients may be paid would be another question than before. */
  recipientsOnly: { before: boolean; after: boolean } | null;
}

/** Functions that put a budget in the place of another. */
const setters = new Set(["setBudget", "lowerBudget"]);

const windowOf: Readonly<Partial<Record<BudgetLimit, Budget["windows"][number]["window"]>>> = {
  perTransaction: "transaction",
};

function limitOf(budget: Budget, limit: BudgetLimit): string | null {
  const money =
    limit === "approvalAbove"
      ? budget.approvalAbove
      : budget.windows.find(({ window }) => window === (windowOf[limit] ?? limit))?.limit;
  return money === undefined || money.amount === "unlimited" ? null : money.amount;
}

/** Whether a call sets a budget at all. */
export const setsBudget = ({ decoded }: Pick<Call, "decoded">): boolean =>
  setters.has(decoded?.function ?? "");

/** What a call changes of the budget that stands; null where there is none in its place, `unread` where its terms cannot be read. */
export function replacedBy(
  call: Pick<Call, "decoded">,
  budgets: readonly Budget[],
): Replaced | null | "unread" {
  const terms = termsIn(argumentOf(call, "terms"));
  const budget = budgetAmong(budgets, {
    spender: argumentOf(call, "spender"),
    token: argumentOf(call, "token"),
  });
  if (!terms) return "unread";
  if (!budget) return null;
  const { decimals, unit } = budget;
  const limits = budgetLimits.flatMap((limit) => {
    const before = limitOf(budget, limit);
    const base = BigInt(terms[limit] ?? 0);
    const after = base >= noLimit ? null : scaled(base, decimals);
    const isSame = before === null ? after === null : base === parseUnits(before, decimals);
    return isSame ? [] : [{ limit, before, after }];
  });
  const validUntil = { before: budget.validUntil, after: Number(terms.validUntil) * 1_000 };
  const recipientsOnly = { before: budget.recipientsOnly, after: terms.recipientsOnly === true };
  return {
    unit,
    limits,
    validUntil: validUntil.before === validUntil.after ? null : validUntil,
    recipientsOnly: recipientsOnly.before === recipientsOnly.after ? null : recipientsOnly,
  };
}

type Terms = Readonly<Record<BudgetLimit | "validUntil", string>> & { readonly recipientsOnly: unknown };

/** A tuple is written as JSON; null if this one cannot be read. */
function termsIn(written: string | undefined): Terms | null {
  try {
    const terms = JSON.parse(written ?? "") as Record<string, unknown>;
    const isWhole = [...budgetLimits, "validUntil"].every((name) => /^\d+$/.test(String(terms[name])));
    return isWhole ? (terms as unknown as Terms) : null;
  } catch {
    return null;
  }
}
