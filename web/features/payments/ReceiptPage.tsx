"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useNow } from "@/lib/clock.tsx";
import { amountText, co2Text, energyText, scaled } from "@/lib/format.ts";
import { useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Receipt } from "@/lib/model.ts";
import { receiptQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { demandText } from "@/lib/time.ts";
import { Address, Hash } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Copy } from "@/ui/Copy.tsx";
import { cx } from "@/ui/cx.ts";
import { Line } from "@/ui/Figure.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { PageHead, Section, Skeleton } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { receiptBadge } from "@/ui/table/PaymentTable.tsx";
import { receiptWords, stages } from "./words.ts";

const back = { href: "/payments", label: "Payments" };

/** A payment's receipt: who, how much, how far, and what the work behind it cost the world. */
export function ReceiptPage({ paymentId }: { paymentId: string }) {
  const { data: receipt, error, refetch } = useQuery(receiptQuery(useService(), paymentId));
  const isOfEarlierRun = useIsOfEarlierRun();
  if (!receipt)
    return (
      <div className="space-y-5">
        <PageHead back={back} title="Receipt" />
        {error ? (
          <FailureNotice error={error} back={back} onRetry={() => refetch()} />
        ) : (
          <Skeleton label={receiptWords.loading} />
        )}
      </div>
    );
  const isGone = isOfEarlierRun(receipt.acceptedAt);
  const { word, tone } = receiptBadge(receipt, isGone);
  return (
    <div className="space-y-6">
      <PageHead back={back} title={<Money {...receipt.amount} />}>
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <Badge tone={tone}>{word}</Badge>
          <span>
            from <Address address={receipt.payer} hasCopy={false} /> to{" "}
            <Address address={receipt.payee} hasCopy={false} />
          </span>
          <Ago at={receipt.acceptedAt} />
        </div>
      </PageHead>
      {isGone && (
        <Notice isAlert tone="bad" title={receiptWords.gone.title}>
          {receiptWords.gone.text}
        </Notice>
      )}
      {receipt.state === "refused" && !isGone && (
        <Notice isAlert tone="bad" title={receiptWords.refused.title}>
          {receiptWords.refused.text(receipt.refusal?.reason ?? "")}
        </Notice>
      )}
      {receipt.state === "lost" && !isGone && (
        <Notice isAlert tone="bad" title={receiptWords.lost.title}>
          {receiptWords.lost.text}
        </Notice>
      )}
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Way receipt={receipt} isGone={isGone} />
        <Footprint receipt={receipt} />
        <Particulars receipt={receipt} isGone={isGone} />
      </div>
    </div>
  );
}

function Way({ receipt, isGone }: { receipt: Receipt; isGone: boolean }) {
  return (
    <Section title={receiptWords.progress}>
      <ol className="space-y-3">
        {stages(receipt, isGone).map(({ name, words, isReached }) => (
          <li key={name} className="flex gap-2.5">
            <span
              aria-hidden="true"
              className={cx(
                "mt-0.5 grid size-5 shrink-0 place-items-center rounded-full",
                isReached ? "bg-accent text-on-accent" : "border border-edge/70 border-dashed",
              )}
            >
              {isReached && <Icon name="check" className="size-3" />}
            </span>
            <div>
              <p className={cx("font-medium", !isReached && "text-ink-3")}>
                {name}
                <span className="sr-only">{receiptWords.reached(isReached)}</span>
              </p>
              <p className="text-ink-3 text-sm">{words}</p>
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Footprint({ receipt: { carbon, energy } }: { receipt: Receipt }) {
  if (!carbon && !energy)
    return (
      <Section title="Footprint">
        <p className="text-ink-2">{receiptWords.noFootprint}</p>
      </Section>
    );
  return (
    <Section title="Footprint">
      <dl>
        {carbon && (
          <>
            <Line label="Carbon">{Object.values(co2Text(carbon.co2Micrograms)).join(" ")}</Line>
            <Line label="Energy">{Object.values(energyText(carbon.energyMillijoules)).join(" ")}</Line>
            <Line label="Water">{amountText(scaled(carbon.waterMicrolitres, 3))} ml</Line>
            <Line label="Emission factor">{carbon.factor}</Line>
          </>
        )}
        {energy && (
          <>
            <Line label="ATP discharged">
              <Money {...energy.atp} />
            </Line>
            <Line label="Work ticket">
              <span className="font-mono text-xs [overflow-wrap:anywhere]">{energy.ticketId}</span>
            </Line>
          </>
        )}
      </dl>
    </Section>
  );
}

function Particulars({ receipt, isGone }: { receipt: Receipt; isGone: boolean }) {
  return (
    <Section title="Particulars" className="lg:col-span-2">
      <dl>
        <Line label="Payment id">
          <Hash hash={receipt.paymentId} what="payment id" />
        </Line>
        <Line label="Payer's key">
          <span className="inline-flex items-center gap-1 font-mono text-xs">
            {receipt.key}
            <Copy text={receipt.key} what="key" />
          </span>
        </Line>
        {receipt.reference && <Line label="Reference">{receipt.reference}</Line>}
        <Line label="Channel">
          <Hash hash={receipt.channelId} what="channel id" />
        </Line>
        {receipt.proof && (
          <Line label={receiptWords.signed}>
            <span className="inline-flex items-center gap-1">
              <Address address={receipt.proof.operator} hasCopy={false} />
              <Copy text={JSON.stringify(receipt.proof)} what={receiptWords.proof} />
            </span>
          </Line>
        )}
        {receipt.credit && !isGone && <Credit credit={receipt.credit} />}
        <Line label={receiptWords.cumulative}>{receiptWords.baseUnits(receipt.cumulative)}</Line>
        <Line label="Batch">
          <Link
            href={`/batches/${encodeURIComponent(receipt.batchId)}`}
            className="font-mono text-xs underline underline-offset-4"
          >
            {receipt.batchId}
          </Link>
        </Line>
        <Line label="Settlement transaction">
          {receipt.transactionHash ? (
            <Hash hash={receipt.transactionHash} what="transaction hash" kind="transaction" />
          ) : (
            receiptWords.noTransaction
          )}
        </Line>
      </dl>
    </Section>
  );
}

/** What the payee holds in its hand of a cleared payment. */
function Credit({ credit }: { credit: NonNullable<Receipt["credit"]> }) {
  const now = useNow();
  return (
    <>
      <Line label={receiptWords.credit}>{receiptWords.creditIn(credit.cumulative, credit.epoch)}</Line>
      {credit.signature && <Line label={receiptWords.creditReceipt}>{demandText(credit, now)}</Line>}
    </>
  );
}
