"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { paymentsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Button } from "@/ui/Button.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { Toggle } from "@/ui/Toggle.tsx";
import { PaymentTable } from "@/ui/table/PaymentTable.tsx";
import { historyWords } from "./words.ts";

/** An account's payments, sent or received. */
export function History({ address }: { address: string }) {
  const [side, setSide] = useState<"payer" | "payee">("payer");
  const answer = useInfiniteQuery(paymentsQuery(useService(), { [side]: address }));
  const rows = answer.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Section
      flush
      title="History"
      aside={
        <Toggle
          label="Direction"
          value={side}
          onChange={setSide}
          options={[
            { value: "payer", label: "Paid" },
            { value: "payee", label: "Received" },
          ]}
        />
      }
    >
      {answer.isPending && <Skeleton label={historyWords.loading} />}
      {answer.error && rows.length === 0 && (
        <div className="p-4">
          <FailureNotice error={answer.error} onRetry={() => answer.refetch()} />
        </div>
      )}
      {answer.isSuccess && rows.length === 0 && (
        <Empty title={side === "payer" ? historyWords.hasPaidNobody : historyWords.wasPaidByNobody} />
      )}
      {rows.length > 0 && <PaymentTable caption={historyWords.caption} receipts={rows} />}
      {answer.hasNextPage && (
        <div className="border-line border-t p-2 text-center">
          <Button look="quiet" isBusy={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
            {historyWords.older}
          </Button>
        </div>
      )}
    </Section>
  );
}
