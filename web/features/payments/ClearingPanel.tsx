"use client";
import { useQuery } from "@tanstack/react-query";
import { integerText } from "@/lib/format.ts";
import type { Clearing } from "@/lib/model.ts";
import { clearingQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Hash } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Figure } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { Ago, Left } from "@/ui/Time.tsx";
import { type Column, Table } from "@/ui/table/Table.tsx";
import { rootBadges } from "./words.ts";

type Root = Clearing["roots"][number];

const columns: readonly Column<Root>[] = [
  { label: "Root", cell: ({ number }) => integerText(number) },
  {
    label: "State",
    cell: ({ state }) => <Badge tone={rootBadges[state].tone}>{rootBadges[state].word}</Badge>,
  },
  { label: "Payees", align: "end", cell: ({ payees }) => (payees === null ? "–" : integerText(payees)) },
  { label: "Owes in all", align: "end", cell: ({ total }) => <Money {...total} /> },
  {
    label: "Posted",
    align: "end",
    cell: ({ postedAt }) => (postedAt === null ? "–" : <Ago at={postedAt} />),
  },
  {
    label: "Challenges",
    align: "end",
    cell: ({ state, finalAt, openChallenges }) => (
      <>
        {integerText(openChallenges)} open
        {state === "pending" && finalAt !== null && (
          <span className="ml-1 text-ink-3">
            <Left deadline={finalAt} />
          </span>
        )}
      </>
    ),
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
    <Section flush title="Clearing" note="one deposit pays any payee; roots pay them out">
      {isPending && <Skeleton rows={3} label="Loading the clearing hub" />}
      {error && !data && (
        <div className="p-4">
          <FailureNotice error={error} onRetry={() => refetch()} />
        </div>
      )}
      {data && (
        <>
          <Figures hub={data} />
          {data.roots.length === 0 ? (
            <Empty title="No root yet">
              The first is cut once a cleared payment has waited for its time; payees are paid a day after it
              is posted, unless one of them shows a receipt that says more.
            </Empty>
          ) : (
            <Table
              caption="Roots, newest first"
              columns={columns}
              rows={data.roots}
              keyOf={({ number }) => String(number)}
            />
          )}
        </>
      )}
    </Section>
  );
}

function Figures({ hub }: { hub: Clearing }) {
  const isBonded = Number(hub.bond.amount) >= Number(hub.bondWanted.amount);
  return (
    <div className="space-y-4 border-line border-b px-4 py-4 sm:px-5">
      {!isBonded && (
        <Notice isAlert tone="warn" title="The operator's bond is too low">
          The contract takes no root from it until it stakes more, and no cleared channel is opened.
        </Notice>
      )}
      <dl className="grid grid-cols-2 gap-x-8 gap-y-5 lg:grid-cols-3">
        <Figure label="Credited to payees" note="ever">
          <Money {...hub.credited} />
        </Figure>
        <Figure label="Received by the contract" note="ever">
          <Money {...hub.received} />
        </Figure>
        <Figure
          label="Operator's bond"
          note={
            <>
              at least <Money {...hub.bondWanted} />
            </>
          }
        >
          <Money {...hub.bond} />
        </Figure>
      </dl>
    </div>
  );
}
