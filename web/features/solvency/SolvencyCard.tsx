"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useChainSilence, useIsSilent } from "@/lib/live/hearing.ts";
import { solvencyQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { cardWords, isIdle, shortWords, statusBadges, verdictWords } from "./words.ts";

/** Whether what is owed is there: the least that an operator must know. */
export function SolvencyCard() {
  const { data, error, refetch } = useQuery(solvencyQuery(useService()));
  const isUnheard = useIsSilent();
  const isSilent = useChainSilence() !== null || isUnheard;
  if (!data)
    return (
      <Section title="Solvency" flush={!error}>
        {error ? (
          <FailureNotice error={error} onRetry={() => refetch()} />
        ) : (
          <Skeleton label={cardWords.loading} />
        )}
      </Section>
    );
  const lines = data.items.filter((line) => !isIdle(line));
  return (
    <Section
      title="Solvency"
      aside={
        <Link href="/solvency" className="text-sm underline underline-offset-4">
          {cardWords.link}
        </Link>
      }
    >
      <dl>
        <Figure label={cardWords.figure} note={cardWords.asOf(data.blockNumber)}>
          <span className={isSilent ? "text-ink-3" : data.isSolvent ? undefined : "text-bad"}>
            {verdictWords(data)}
          </span>
        </Figure>
      </dl>
      <dl className="mt-3 border-line border-t pt-1">
        {lines.map((line) => (
          <Line key={line.unit} label={line.isSolvent ? "Owed" : shortWords(line)}>
            <Money {...line.obligations} /> {cardWords.of} <Money {...line.holdings} /> {cardWords.held}
          </Line>
        ))}
        {lines.length === 0 && <Line label="Owed">{cardWords.nothing}</Line>}
        <Line label="Snapshot">
          <Ago at={data.takenAt} />{" "}
          <Badge tone={isSilent ? "neutral" : statusBadges[data.status].tone}>
            {statusBadges[data.status].word}
          </Badge>
        </Line>
      </dl>
    </Section>
  );
}
