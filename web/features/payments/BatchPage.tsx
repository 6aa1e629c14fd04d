"use client";
import { useQuery } from "@tanstack/react-query";
import { integerText, shortHex } from "@/lib/format.ts";
import { useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Batch } from "@/lib/model.ts";
import { batchQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Hash } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Figure } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { PageHead, Section, Skeleton } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { PaymentList } from "./PaymentList.tsx";
import { batchBadge, batchWords, closedWords, decisionWords, gasPerPayment, weighedWords } from "./words.ts";

const back = { href: "/payments", label: "Payments" };

/** One batch: what it cost to settle, and every payment in it. */
export function BatchPage({ batchId }: { batchId: string }) {
  const { data: batch, error, refetch } = useQuery(batchQuery(useService(), batchId));
  const isOfEarlierRun = useIsOfEarlierRun();
  const title = `Batch ${batchId.length > 18 ? shortHex(batchId, 6) : batchId}`;
  if (!batch)
    return (
      <div className="space-y-5">
        <PageHead back={back} title={title} />
        {error ? (
          <FailureNotice error={error} back={back} onRetry={() => refetch()} />
        ) : (
          <Skeleton label={batchWords.loading} />
        )}
      </div>
    );
  const isGone = isOfEarlierRun(batch.openedAt);
  const { word, tone } = batchBadge(batch, isGone);
  return (
    <div className="space-y-6">
      <PageHead back={back} title={title}>
        <div className="flex flex-wrap items-center gap-x-2">
          <Badge tone={tone}>{word}</Badge>
          <span>
            opened <Ago at={batch.openedAt} />, {closedWords(batch)}
          </span>
        </div>
      </PageHead>
      <Unpaid batch={batch} isGone={isGone} />
      {batch.refused.length > 0 && (
        <Notice isAlert tone="bad" title={batchWords.refused(batch.refused.length)}>
          {batch.refused.map(({ channelId, amount, reason }) => (
            <p key={channelId}>
              <Money {...amount} /> {batchWords.ofChannel} <Hash hash={channelId} what="channel id" />:{" "}
              {reason}
            </p>
          ))}
          {batchWords.rest(batch.refused.length)}
        </Notice>
      )}
      <dl className="grid grid-cols-2 gap-x-8 gap-y-5 lg:grid-cols-4">
        <Figure label="Payments" note={batchWords.channels(batch.channels)}>
          {integerText(batch.payments)}
        </Figure>
        <Figure label="Value">
          <Money {...batch.value} />
        </Figure>
        <Figure label={batchWords.gasPerPayment} note={batchWords.gasInAll(batch.gasUsed)}>
          {gasPerPayment(batch) ?? "–"}
        </Figure>
        <Figure label="Transaction" note={batch.settledAt !== null && <Ago at={batch.settledAt} />}>
          <span className="text-base">
            {batch.transactionHash ? (
              <Hash hash={batch.transactionHash} what="transaction hash" kind="transaction" />
            ) : (
              batchWords.noTransaction
            )}
          </span>
        </Figure>
      </dl>
      {batch.decisions.length > 0 && <Decisions decisions={batch.decisions} />}
      <PaymentList title={batchWords.payments} filter={{ batchId }} />
    </div>
  );
}

/** That none of its payments is paid, and why. */
function Unpaid({ batch, isGone }: { batch: Batch; isGone: boolean }) {
  if (!isGone && batch.state !== "lost") return null;
  const { title, text } = isGone ? batchWords.gone : batchWords.lost;
  return (
    <Notice isAlert tone="bad" title={title}>
      {text}
    </Notice>
  );
}

/** Why it waited and why it was settled, with the figures of the moment. */
function Decisions({ decisions }: Pick<Batch, "decisions">) {
  return (
    <Section title="Decisions">
      <ol className="space-y-2">
        {decisions.map((decision) => (
          <li key={`${decision.at} ${decision.reason}`}>
            <p>
              <span className="first-letter:uppercase">{decisionWords(decision)}</span>{" "}
              <span className="text-ink-3 text-sm">
                <Ago at={decision.at} />
              </span>
            </p>
            {weighedWords(decision) && <p className="text-ink-3 text-sm">{weighedWords(decision)}</p>}
          </li>
        ))}
      </ol>
    </Section>
  );
}
