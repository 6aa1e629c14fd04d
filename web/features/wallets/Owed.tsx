"use client";
import { useQuery } from "@tanstack/react-query";
import { useNow } from "@/lib/clock.tsx";
import { standingQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { demandText } from "@/lib/time.ts";
import { Copy } from "@/ui/Copy.tsx";
import { Line } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Section } from "@/ui/Section.tsx";
import { owedWords } from "./words.ts";

/** What the clearing hub owes an account, with the operator's word for it; nothing for an account it never credited. */
export function Owed({ address }: { address: string }) {
  const { data, error, refetch } = useQuery(standingQuery(useService(), address));
  const now = useNow();
  if (error && !data) return <FailureNotice error={error} onRetry={() => refetch()} />;
  if (!data) return null;
  const { credited, settled, pending, paid, owed, receipt } = data;
  if ([credited, settled, pending].every(({ amount }) => !/[1-9]/.test(amount))) return null;
  return (
    <Section title={owedWords.title} note={owedWords.note}>
      <dl>
        <Line label={owedWords.credited}>
          <Money {...credited} />
        </Line>
        <Line label={owedWords.settled}>
          <Money {...settled} />
        </Line>
        <Line label={owedWords.pending}>
          <Money {...pending} />
        </Line>
        <Line label={owedWords.paid}>
          <Money {...paid} />
        </Line>
        <Line label="Owed">
          <Money {...owed} className="font-medium" />
        </Line>
        <Line label={owedWords.receipt}>
          {receipt ? (
            <span className="inline-flex items-center gap-1">
              {owedWords.inEpoch(receipt.epoch)}
              <Copy text={JSON.stringify(receipt)} what="signed receipt" />
            </span>
          ) : (
            owedWords.noReceipt
          )}
        </Line>
        {receipt && <Line label={owedWords.demand}>{demandText(receipt, now)}</Line>}
      </dl>
    </Section>
  );
}
