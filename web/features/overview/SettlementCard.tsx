"use client";
import { useQuery } from "@tanstack/react-query";
import { integerText } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";

/** What settling in batches costs, and what it saved. */
export function SettlementCard() {
  const { data } = useQuery(overviewQuery(useService()));
  return (
    <Section title="Settlement" flush={!data}>
      {!data && <Skeleton label="Loading settlement" />}
      {data && (
        <>
          <dl>
            <Figure label="Gas per payment" note="One transfer each would have cost about 85,728">
              {data.batches.gasPerPayment === null
                ? "none settled yet"
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
