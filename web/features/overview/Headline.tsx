"use client";
import { useQuery } from "@tanstack/react-query";
import { OtherTokens } from "@/features/payments/OtherTokens.tsx";
import { rateText, share } from "@/lib/format.ts";
import type { Overview } from "@/lib/model.ts";
import { overviewQuery, treasuryQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address } from "@/ui/Address.tsx";
import { cx } from "@/ui/cx.ts";
import { Figure } from "@/ui/Figure.tsx";
import { Meter } from "@/ui/Meter.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { headlineWords } from "./words.ts";

const grid = "grid gap-x-10 gap-y-6 pb-1 sm:grid-cols-2 xl:grid-cols-[auto_minmax(14rem,1fr)_auto_auto]";
const blank = "\u00a0";

/** The Treasury's money and the flow of payments: what one wants to know before anything else. */
export function Headline() {
  const { data, error, refetch } = useQuery(overviewQuery(useService()));
  if (!data) return error ? <FailureNotice error={error} onRetry={() => refetch()} /> : <Placeholder />;
  const { treasury, payments } = data;
  const [main, ...others] = treasury.balances;
  return (
    <dl className={grid}>
      <Figure
        size="lg"
        label="Treasury"
        note={
          <span className="flex flex-wrap items-center gap-x-3">
            {others.map((money) => (
              <Money key={money.token} {...money} limit={4} />
            ))}
            <Address address={treasury.address} name="" />
          </span>
        }
      >
        {main ? <Money {...main} /> : headlineWords.empty}
      </Figure>
      <SpentToday treasury={treasury} />
      <Figure
        size="lg"
        label={headlineWords.paid}
        note={
          <>
            <OtherTokens amounts={payments.others} />
            {headlineWords.flow(payments)}
          </>
        }
      >
        <Money {...payments.value} />
      </Figure>
      <Figure size="lg" label={headlineWords.rate} note={headlineWords.pending(payments.pending)}>
        {rateText(payments.perSecond)}
      </Figure>
    </dl>
  );
}

/** The figures' own room, so that nothing below moves when they come. */
function Placeholder() {
  return (
    <div
      role="status"
      aria-busy="true"
      className="animate-[breathe_1.8s_ease-in-out_infinite] rounded-xl bg-sunken/60"
    >
      <span className="sr-only">{headlineWords.loading}</span>
      <dl className={cx(grid, "invisible")}>
        <Blank />
        <div className="self-center">
          <Meter label={headlineWords.spent} value={0} words={blank} />
        </div>
        <Blank />
        <Blank />
      </dl>
    </div>
  );
}

const Blank = () => (
  <Figure size="lg" label={blank} note={blank}>
    {blank}
  </Figure>
);

/** What agents spent of the last day's budgets: in USDC, and in each other token apart. */
function SpentToday({ treasury }: Pick<Overview, "treasury">) {
  const { data: state } = useQuery(treasuryQuery(useService()));
  if (state?.paused)
    return (
      <div className="min-w-0 self-center xl:max-w-sm">
        <dt className="text-ink-3 text-sm">{headlineWords.spent}</dt>
        <dd className="font-medium text-bad text-sm">{headlineWords.paused}</dd>
      </div>
    );
  const { spentToday, budgetToday, others, agentsWithoutLimit } = treasury;
  const isAnyLimited = /[1-9]/.test(budgetToday.amount) || agentsWithoutLimit === 0;
  const spent = share(spentToday.amount, budgetToday.amount);
  return (
    <div className="min-w-0 self-center xl:max-w-sm">
      <dt className={isAnyLimited ? "sr-only" : "text-ink-3 text-sm"}>{headlineWords.spent}</dt>
      <dd>
        {isAnyLimited ? (
          <Meter
            label={headlineWords.spent}
            value={spent}
            tone={spent > 0.9 ? "bad" : spent > 0.7 ? "warn" : "accent"}
            words={
              <>
                <Money {...spentToday} className="font-medium text-ink" /> of <Money {...budgetToday} />
              </>
            }
          />
        ) : (
          <p className="text-sm">{headlineWords.noLimit}</p>
        )}
        {others.map((other) => (
          <p key={other.spentToday.token} className="mt-1 text-right text-ink-3 text-sm">
            and <Money {...other.spentToday} limit={4} /> of <Money {...other.budgetToday} limit={4} />
          </p>
        ))}
        {agentsWithoutLimit > 0 && (
          <p className="mt-1 text-right text-ink-3 text-sm">{headlineWords.unlimited(agentsWithoutLimit)}</p>
        )}
      </dd>
    </div>
  );
}
