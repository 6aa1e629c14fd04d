"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useNow } from "@/lib/clock.tsx";
import { plural, share } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { spanText } from "@/lib/time.ts";
import { Meter } from "@/ui/Meter.tsx";
import { Money } from "@/ui/Money.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";

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
      title="Open batch"
      note="closes at the first limit"
      flush={!open}
      aside={
        open && (
          <Link
            href={`/batches/${open.batchId}`}
            className="text-ink-2 text-sm underline-offset-4 hover:underline"
          >
            See it
          </Link>
        )
      }
    >
      {!data && <Skeleton label="Loading the open batch" />}
      {data && !open && <Empty title="No batch is open">The next payment opens one.</Empty>}
      {open && limits && (
        <div className="flex h-full flex-col justify-center gap-6">
          <Meter
            label="Payments"
            value={Math.min(1, open.payments / limits.batchSize)}
            words={`${open.payments} of ${plural(limits.batchSize, "payment")}`}
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
            words={`${spanText(age)} of ${spanText(limits.maxDelayMs)}`}
          />
        </div>
      )}
      {others.map(({ batchId, payments, value }) => (
        <p key={batchId} className="text-ink-3 text-sm">
          Open in {value.unit}:{" "}
          <Link href={`/batches/${batchId}`} className="underline-offset-4 hover:underline">
            {plural(payments, "payment")}
          </Link>
          , <Money {...value} />
        </p>
      ))}
    </Section>
  );
}
