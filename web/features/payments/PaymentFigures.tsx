"use client";
import { useQuery } from "@tanstack/react-query";
import { integerText } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { cx } from "@/ui/cx.ts";
import { Figure } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { OtherTokens } from "./OtherTokens.tsx";
import { paymentsWords } from "./words.ts";

const grid = "grid grid-cols-2 gap-x-8 gap-y-5 lg:grid-cols-4";
const blank = "\u00a0";

/** The figures' own room, with the notes that may need two lines: nothing below moves when they come. */
function Placeholder() {
  const notes = [blank, paymentsWords.parties(10, 10), paymentsWords.settled(10), paymentsWords.gasSaved];
  return (
    <div aria-busy="true" className="animate-[breathe_1.8s_ease-in-out_infinite] rounded-xl bg-sunken/60">
      <dl className={cx(grid, "invisible")}>
        {notes.map((note) => (
          <Figure key={note} label={blank} note={note}>
            {blank}
          </Figure>
        ))}
      </dl>
    </div>
  );
}

/** Payments in four figures. */
export function PaymentFigures() {
  const { data, error, refetch } = useQuery(overviewQuery(useService()));
  if (!data) return error ? <FailureNotice error={error} onRetry={() => refetch()} /> : <Placeholder />;
  const { payments, batches } = data;
  return (
    <dl className={grid}>
      <Figure label="Payments" note={paymentsWords.pending(payments.pending)}>
        {integerText(payments.total)}
      </Figure>
      <Figure
        label="Value"
        note={
          <>
            <OtherTokens amounts={payments.others} />
            {paymentsWords.parties(payments.payers, payments.payees)}
          </>
        }
      >
        <Money {...payments.value} />
      </Figure>
      <Figure label={paymentsWords.cost} note={paymentsWords.settled(batches.settled)}>
        {batches.gasPerPayment === null ? "–" : batches.gasPerPayment.toFixed(1)}
        <span className="ml-1 font-normal text-ink-3 text-xs">gas</span>
      </Figure>
      <Figure label="Gas saved" note={paymentsWords.gasSaved}>
        {integerText(batches.gasSaved)}
      </Figure>
    </dl>
  );
}
