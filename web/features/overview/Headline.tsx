"use client";
import { useQuery } from "@tanstack/react-query";
import { OtherTokens } from "@/features/payments/OtherTokens.tsx";
import { difference, rateText, share } from "@/lib/format.ts";
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

type Spent = Pick<Overview["treasury"], "spentToday" | "stoppedToday" | "budgetToday">;

const isSome = ({ amount }: { amount: string }) => /[1-9]/.test(amount);

/** What agents spent in the last day, of the limits that still let them: in USDC, and in each other token apart. */
function SpentToday({ treasury }: Pick<Overview, "treasury">) {
  const { data: state } = useQuery(treasuryQuery(useService()));
  const { others, agentsWithoutLimit, ...main } = treasury;
  const isPaused = state?.paused ?? false;
  const hasMeter =
    !isPaused && (isSome(main.budgetToday) || isSome(main.spentToday) || agentsWithoutLimit === 0);
  return (
    <div className="min-w-0 self-center xl:max-w-sm">
      <dt className={hasMeter ? "sr-only" : "text-ink-3 text-sm"}>{headlineWords.spent}</dt>
      <dd>
        {hasMeter && <SpentMeter {...main} />}
        {isPaused && (
          <>
            <p className="text-sm">
              <Money {...main.spentToday} className="font-medium text-ink" />
            </p>
            <p className="font-medium text-bad text-sm">{headlineWords.paused}</p>
          </>
        )}
        {!isPaused && !hasMeter && <p className="text-sm">{headlineWords.noLimit}</p>}
        {!isPaused && <Stopped {...main} />}
        {others.map((other) => (
          <OtherSpent key={other.spentToday.token} {...other} isPaused={isPaused} />
        ))}
        {agentsWithoutLimit > 0 && (
          <p className="mt-1 text-right text-ink-3 text-sm">{headlineWords.unlimited(agentsWithoutLimit)}</p>
        )}
      </dd>
    </div>
  );
}

/** Its length is what was used of the limits that are there: what stopped budgets spent used nothing of them. */
function SpentMeter({ spentToday, stoppedToday, budgetToday }: Spent) {
  const used = share(difference(spentToday.amount, stoppedToday.amount), budgetToday.amount);
  return (
    <Meter
      label={headlineWords.spent}
      value={used}
      tone={used > 0.9 ? "bad" : used > 0.7 ? "warn" : "accent"}
      words={
        <>
          <Money {...spentToday} className="font-medium text-ink" /> of <Money {...budgetToday} />
        </>
      }
    />
  );
}

function Stopped({ stoppedToday }: Pick<Spent, "stoppedToday">) {
  if (!isSome(stoppedToday)) return null;
  return (
    <p className="mt-1 text-right text-ink-3 text-sm">
      <Money {...stoppedToday} /> {headlineWords.stopped}
    </p>
  );
}

function OtherSpent({ isPaused, ...spent }: Spent & { isPaused: boolean }) {
  return (
    <>
      <p className="mt-1 text-right text-ink-3 text-sm">
        and <Money {...spent.spentToday} limit={4} />
        {!isPaused && (
          <>
            {" "}
            of <Money {...spent.budgetToday} limit={4} />
          </>
        )}
      </p>
      {!isPaused && <Stopped {...spent} />}
    </>
  );
}
