"use client";
import { useQuery } from "@tanstack/react-query";
import { share } from "@/lib/format.ts";
import type { Budget } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { budgetsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Meter } from "@/ui/Meter.tsx";
import { Money } from "@/ui/Money.tsx";
import { Section } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { budgetWords } from "./words.ts";

/** What the Treasury lets an agent spend, per window. */
export function Budgets({ spender }: { spender: string }) {
  const { data } = useQuery(budgetsQuery(useService()));
  const budgets = data?.items.filter((budget) => isSameAddress(budget.spender, spender)) ?? [];
  return budgets.map((budget) => <BudgetCard key={budget.token} budget={budget} />);
}

function BudgetCard({ budget }: { budget: Budget }) {
  return (
    <Section
      title={budgetWords.title(budget.unit)}
      note={
        <>
          {budgetWords.approvalAbove} <Money {...budget.approvalAbove} />
        </>
      }
      aside={
        <>
          {!budget.known && <Badge tone="warn">{budgetWords.unknownToken}</Badge>}
          {budget.recipientsOnly && <Badge>{budgetWords.recipientsOnly}</Badge>}
          {budget.frozen && <Badge tone="bad">Frozen</Badge>}
        </>
      }
    >
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {budget.windows.map(({ window, limit, spent, resetsAt }) => {
          // A bar would show how much of it is used: of none, nothing ever is.
          if (limit.amount === "unlimited")
            return (
              <p key={window} className="text-ink-2 text-sm">
                {budgetWords.noLimit(window)}
              </p>
            );
          const used = share(spent.amount, limit.amount);
          return (
            <div key={window}>
              <Meter
                label={window === "transaction" ? budgetWords.perPayment : window}
                value={used}
                tone={used > 0.9 ? "bad" : used > 0.7 ? "warn" : "accent"}
                words={
                  window === "transaction" ? (
                    <Money {...limit} />
                  ) : (
                    <>
                      <Money {...spent} /> of <Money {...limit} />
                    </>
                  )
                }
              />
              {resetsAt !== null && (
                <p className="mt-1 text-ink-3 text-xs">
                  {budgetWords.resets} <Ago at={resetsAt} />
                </p>
              )}
            </div>
          );
        })}
      </div>
    </Section>
  );
}
