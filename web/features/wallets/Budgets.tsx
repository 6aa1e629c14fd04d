"use client";
import { useQuery } from "@tanstack/react-query";
import { useNow } from "@/lib/clock.tsx";
import { share } from "@/lib/format.ts";
import type { Budget } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { budgetsQuery, treasuryQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { cx } from "@/ui/cx.ts";
import { Meter } from "@/ui/Meter.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { budgetEnd, budgetStop, budgetWords, hasEnded } from "./words.ts";

/** What the Treasury lets an agent spend, per window. */
export function Budgets({ spender }: { spender: string }) {
  const service = useService();
  const { data, error, refetch } = useQuery(budgetsQuery(service));
  const { data: treasury } = useQuery(treasuryQuery(service));
  const isPaused = treasury?.paused ?? false;
  // That nobody could say which budgets there are must not look like an account that has none.
  if (!data)
    return (
      <Section flush={!error} title={budgetWords.all}>
        {error ? (
          <FailureNotice error={error} onRetry={() => refetch()} />
        ) : (
          <Skeleton label={budgetWords.loading} />
        )}
      </Section>
    );
  const budgets = data.items.filter((budget) => isSameAddress(budget.spender, spender));
  return (
    <>
      {error && budgets.length > 0 && (
        <Notice isAlert tone="warn" title={budgetWords.old.title}>
          {budgetWords.old.text}
        </Notice>
      )}
      {budgets.map((budget) => (
        <BudgetCard key={budget.token} budget={budget} isPaused={isPaused} />
      ))}
    </>
  );
}

function BudgetCard({ budget, isPaused }: { budget: Budget; isPaused: boolean }) {
  const now = useNow();
  const stop = budgetStop(budget, now, isPaused);
  const end = budgetEnd(budget, now);
  return (
    <Section
      title={budgetWords.title(budget.unit)}
      note={
        <>
          {budgetWords.approvalAbove} <Money {...budget.approvalAbove} />
          {end && `, ${end}`}
        </>
      }
      aside={
        <>
          {!budget.known && <Badge tone="warn">{budgetWords.unknownToken}</Badge>}
          {budget.recipientsOnly && <Badge>{budgetWords.recipientsOnly}</Badge>}
          {isPaused && <Badge tone="bad">{budgetWords.paused}</Badge>}
          {budget.frozen && <Badge tone="bad">Frozen</Badge>}
          {hasEnded(budget.validUntil, now) && <Badge tone="bad">{budgetWords.ended}</Badge>}
        </>
      }
    >
      {stop && <p className="mb-4 font-medium text-bad text-sm">{stop}</p>}
      <div className={cx("grid gap-x-8 gap-y-5 sm:grid-cols-2", stop && "grayscale")}>
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
              {resetsAt !== null && !stop && (
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
