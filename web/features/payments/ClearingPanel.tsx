"use client";
import { useQuery } from "@tanstack/react-query";
import { difference, integerText } from "@/lib/format.ts";
import type { Clearing } from "@/lib/model.ts";
import { clearingQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address, Hash } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Figure } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { Ago, Left } from "@/ui/Time.tsx";
import { type Column, Table } from "@/ui/table/Table.tsx";
import { clearingWords, epochBadges } from "./words.ts";

type Epoch = Clearing["epochs"][number];

const columns: readonly Column<Epoch>[] = [
  { label: "Epoch", cell: ({ number }) => integerText(number) },
  {
    label: "State",
    cell: ({ state }) => <Badge tone={epochBadges[state].tone}>{epochBadges[state].word}</Badge>,
  },
  { label: "Payees", align: "end", cell: ({ payees }) => (payees === null ? "–" : integerText(payees)) },
  { label: clearingWords.total, align: "end", cell: ({ total }) => <Money {...total} /> },
  {
    label: "Sealed",
    align: "end",
    cell: ({ sealedAt }) => (sealedAt === null ? "–" : <Ago at={sealedAt} />),
  },
  {
    label: "Settled",
    align: "end",
    cell: ({ state, settledAt }) => {
      if (settledAt === null || state === "void") return "–";
      return state === "pending" ? <Left deadline={settledAt} /> : <Ago at={settledAt} />;
    },
  },
  {
    label: "Transaction",
    align: "end",
    cell: ({ transactionHash }) =>
      transactionHash ? <Hash hash={transactionHash} what="transaction hash" kind="transaction" /> : "–",
  },
];

/** The hub: payments by one deposit to any payee, what they are owed for it, and what stands behind that. */
export function ClearingPanel() {
  const { data, error, isPending, refetch } = useQuery(clearingQuery(useService()));
  return (
    <Section flush title="Clearing" note={clearingWords.note}>
      {isPending && <Skeleton rows={3} label={clearingWords.loading} />}
      {error && !data && (
        <div className="p-4">
          <FailureNotice error={error} onRetry={() => refetch()} />
        </div>
      )}
      {data && (
        <>
          <Figures hub={data} />
          {data.epochs.length === 0 ? (
            <Empty title={clearingWords.empty.title}>{clearingWords.empty.text}</Empty>
          ) : (
            <Table
              caption={clearingWords.caption}
              columns={columns}
              rows={data.epochs}
              keyOf={({ number }) => String(number)}
            />
          )}
        </>
      )}
    </Section>
  );
}

function Figures({ hub }: { hub: Clearing }) {
  const isBonded = !difference(hub.bond.amount, hub.bondWanted.amount).startsWith("-");
  return (
    <div className="space-y-4 border-line border-b px-4 py-4 sm:px-5">
      {!isBonded && (
        <Notice isAlert tone="warn" title={clearingWords.bondTooLow.title}>
          {clearingWords.bondTooLow.text}
        </Notice>
      )}
      <dl className="grid grid-cols-2 gap-x-8 gap-y-5 lg:grid-cols-3">
        <Figure label={clearingWords.credited} note={clearingWords.everNote}>
          <Money {...hub.credited} />
        </Figure>
        <Figure label={clearingWords.received} note={clearingWords.everNote}>
          <Money {...hub.received} />
        </Figure>
        <Figure
          label={clearingWords.bond}
          note={
            <>
              {clearingWords.atLeast} <Money {...hub.bondWanted} />
            </>
          }
        >
          <Money {...hub.bond} />
        </Figure>
        <Figure label={clearingWords.operator} note={clearingWords.office(hub.office)}>
          <Address address={hub.operator} hasCopy={false} />
        </Figure>
        <Figure label={clearingWords.leastCredit} note={clearingWords.leastNote}>
          <Money {...hub.leastCredit} />
        </Figure>
        <Figure label={clearingWords.exitCap} note={clearingWords.capNote}>
          <Money {...hub.exitCap} />
        </Figure>
      </dl>
    </div>
  );
}
