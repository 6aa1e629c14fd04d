"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import Link from "next/link";
import { integerText, shortHex } from "@/lib/format.ts";
import { useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Batch } from "@/lib/model.ts";
import { batchesQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Hash } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Button } from "@/ui/Button.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { type Column, Table } from "@/ui/table/Table.tsx";
import { batchBadge, batchListWords, gasPerPayment, whyWords } from "./words.ts";

const columns: readonly Column<Batch>[] = [
  {
    label: "Batch",
    cell: ({ batchId }) => (
      <Link
        href={`/batches/${encodeURIComponent(batchId)}`}
        title={batchId}
        className="font-mono text-[0.92em] underline-offset-4 hover:underline"
      >
        {batchId.length > 18 ? shortHex(batchId, 6) : batchId}
      </Link>
    ),
  },
  {
    label: "State",
    cell: (batch) => <State batch={batch} />,
  },
  { label: "Why", cell: (batch) => <span className="text-ink-2">{whyWords(batch)}</span> },
  { label: "Payments", align: "end", cell: ({ payments }) => integerText(payments) },
  { label: "Channels", align: "end", cell: ({ channels }) => integerText(channels) },
  { label: "Value", align: "end", cell: ({ value }) => <Money {...value} /> },
  { label: batchListWords.gasPerPayment, align: "end", cell: (batch) => gasPerPayment(batch) ?? "–" },
  { label: "Opened", align: "end", cell: ({ openedAt }) => <Ago at={openedAt} /> },
  {
    label: "Transaction",
    align: "end",
    cell: ({ transactionHash }) =>
      transactionHash ? <Hash hash={transactionHash} what="transaction hash" kind="transaction" /> : "–",
  },
];

function State({ batch }: { batch: Batch }) {
  const { word, tone } = batchBadge(batch, useIsOfEarlierRun()(batch.openedAt));
  return <Badge tone={tone}>{word}</Badge>;
}

export function BatchList() {
  const answer = useInfiniteQuery(batchesQuery(useService()));
  const rows = answer.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Section flush title="Batches">
      {answer.isPending && <Skeleton rows={4} label={batchListWords.loading} />}
      {answer.error && rows.length === 0 && (
        <div className="p-4">
          <FailureNotice error={answer.error} onRetry={() => answer.refetch()} />
        </div>
      )}
      {answer.isSuccess && rows.length === 0 && (
        <Empty title={batchListWords.empty.title}>{batchListWords.empty.text}</Empty>
      )}
      {rows.length > 0 && (
        <Table
          caption={batchListWords.caption}
          columns={columns}
          rows={rows}
          keyOf={({ batchId }) => batchId}
        />
      )}
      {answer.hasNextPage && (
        <div className="border-line border-t p-2 text-center">
          <Button look="quiet" isBusy={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
            {batchListWords.older}
          </Button>
        </div>
      )}
    </Section>
  );
}
