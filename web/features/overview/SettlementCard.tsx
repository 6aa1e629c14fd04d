"use client";
import { useQuery } from "@tanstack/react-query";
import { integerText } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";
import { settlementWords } from "./words.ts";

/** What settling in batches costs, and what it saved. */
export function SettlementCard() {
  const { data } = useQuery(overviewQuery(useService()));
  return (
    <Section title="Settlement" flush={!data}>
      {!data && <Skeleton label={settlementWords.loading} />}
      {data && (
        <>
          <dl>
            <Figure label={settlementWords.perPayment} note={settlementWords.perPaymentNote}>
              {data.batches.gasPerPayment === null
                ? settlementWords.noneSettled
                : data.batches.gasPerPayment.toFixed(1)}
            </Figure>
          </dl>
          <dl className="mt-3 border-line border-t pt-1">
            <Line label="Batches settled">{integerText(data.batches.settled)}</Line>
            <Line label="Gas used">{integerText(data.batches.gasUsed)}</Line>
            <Line label="Gas saved">{integerText(data.batches.gasSaved)}</Line>
            <Line label="Proposals executed">{integerText(data.proposals.executed)}</Line>
          </dl>
        </>
      )}
    </Section>
  );
}
