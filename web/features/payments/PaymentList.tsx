"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Receipt } from "@/lib/model.ts";
import { type PaymentsFilter, paymentsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Button } from "@/ui/Button.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { PaymentTable } from "@/ui/table/PaymentTable.tsx";
import { paymentListWords } from "./words.ts";

/** Receipts, newest first. A live list can be held still, so that a row does not run away from the pointer. */
export function PaymentList({
  title,
  filter = {},
  isLive = false,
}: {
  title: string;
  filter?: PaymentsFilter;
  isLive?: boolean;
}) {
  const [held, setHeld] = useState<readonly Receipt[] | null>(null);
  const answer = useInfiniteQuery(paymentsQuery(useService(), filter));
  const fresh = answer.data?.pages.flatMap(({ items }) => items) ?? [];
  const rows = held ?? fresh;
  return (
    <Section
      flush
      title={title}
      note={held ? paymentListWords.paused : undefined}
      aside={
        isLive && (
          <Button look="quiet" aria-pressed={held !== null} onClick={() => setHeld(held ? null : fresh)}>
            <Icon name={held ? "play" : "pause"} />
            {held ? "Resume" : "Pause"}
          </Button>
        )
      }
    >
      {answer.isPending && <Skeleton rows={5} label={paymentListWords.loading} />}
      {answer.error && rows.length === 0 && (
        <div className="p-4">
          <FailureNotice error={answer.error} onRetry={() => answer.refetch()} />
        </div>
      )}
      {answer.isSuccess && rows.length === 0 && (
        <Empty title={paymentListWords.empty.title}>{paymentListWords.empty.text}</Empty>
      )}
      {rows.length > 0 && <PaymentTable caption={title} receipts={rows} />}
      {answer.hasNextPage && !held && (
        <div className="border-line border-t p-2 text-center">
          <Button look="quiet" isBusy={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
            {paymentListWords.older}
          </Button>
        </div>
      )}
    </Section>
  );
}
