"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useNow } from "@/lib/clock.tsx";
import { share } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { spanText } from "@/lib/time.ts";
import { Meter } from "@/ui/Meter.tsx";
import { Money } from "@/ui/Money.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { openBatchWords } from "./words.ts";

/** The batch in USDC that is filling, against the three limits of which the first to be reached closes it. */
export function OpenBatch() {
  const { data } = useQuery(overviewQuery(useService()));
  const now = useNow();
  const open = data?.batches.open;
  const others = data?.batches.others ?? [];
  const limits = data?.batches.limits;
  const age = open ? Math.max(0, now - open.openedAt) : 0;
  return (
    <Section
      title={openBatchWords.title}
      note={openBatchWords.note}
      flush={!open}
      aside={
        open && (
          <Link
            href={`/batches/${open.batchId}`}
            className="text-ink-2 text-sm underline-offset-4 hover:underline"
          >
            {openBatchWords.show}
          </Link>
        )
      }
    >
      {!data && <Skeleton label={openBatchWords.loading} />}
      {data && !open && <Empty title={openBatchWords.empty.title}>{openBatchWords.empty.text}</Empty>}
      {open && limits && (
        <div className="flex h-full flex-col justify-center gap-6">
          <Meter
            label="Payments"
            value={Math.min(1, open.payments / limits.batchSize)}
            words={openBatchWords.payments(open.payments, limits.batchSize)}
          />
          <Meter
            label="Value"
            value={share(open.value.amount, limits.minAmount.amount)}
            words={
              <>
                <Money {...open.value} /> of <Money {...limits.minAmount} />
              </>
            }
          />
          <Meter
            label="Age"
            value={Math.min(1, age / limits.maxDelayMs)}
            words={openBatchWords.age(spanText(age), spanText(limits.maxDelayMs))}
          />
        </div>
      )}
      {others.map(({ batchId, payments, value }) => (
        <p key={batchId} className="text-ink-3 text-sm">
          {openBatchWords.other(value.unit)}{" "}
          <Link href={`/batches/${batchId}`} className="underline-offset-4 hover:underline">
            {openBatchWords.count(payments)}
          </Link>
          , <Money {...value} />
        </p>
      ))}
    </Section>
  );
}
