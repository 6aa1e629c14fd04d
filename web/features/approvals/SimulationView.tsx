"use client";
import { useQuery } from "@tanstack/react-query";
import type { Client } from "#offchain/sdk/client.ts";
import { reasonWords, sentence } from "@/lib/failure.ts";
import { integerText } from "@/lib/format.ts";
import { simulationQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";
import { Table } from "@/ui/table/Table.tsx";
import { simulationWords } from "./words.ts";

/** What executing it now would do to the balances, or why it would fail. */
export function SimulationView({ proposalId }: { proposalId: string }) {
  const { data, error, refetch, isPending } = useQuery(simulationQuery(useService(), proposalId));
  return (
    <Section
      flush
      title="Simulation"
      note={data && simulationWords.at(integerText(data.atBlock))}
      aside={
        data && (
          <Badge tone={error ? "warn" : data.succeeds ? "good" : "bad"}>
            {error ? simulationWords.old.badge : data.succeeds ? "Would succeed" : "Would fail"}
          </Badge>
        )
      }
    >
      {isPending && <Skeleton label={simulationWords.loading} />}
      {error && !data && (
        <div className="p-4">
          <FailureNotice error={error} onRetry={() => refetch()} />
        </div>
      )}
      {error && data && (
        <div className="p-4">
          <Notice tone="warn" title={simulationWords.old.title}>
            {simulationWords.old.text}
          </Notice>
        </div>
      )}
      {data && !data.succeeds && (
        <div className="p-4">
          <Notice tone="bad" title={simulationWords.fails}>
            {data.reason === null ? simulationWords.noReason : `${sentence(reasonWords(data.reason))}.`}
          </Notice>
        </div>
      )}
      {data?.succeeds && data.complete && data.balanceChanges.length === 0 && (
        <p className="px-5 py-4 text-ink-2">{simulationWords.movesNothing}</p>
      )}
      {data?.succeeds && !data.complete && (
        <div className="p-4">
          <Notice tone="warn" title={simulationWords.incomplete.title}>
            {simulationWords.incomplete.text}
          </Notice>
        </div>
      )}
      {data?.succeeds && data.balanceChanges.length > 0 && <Changes rows={data.balanceChanges} />}
    </Section>
  );
}

type Change = Awaited<ReturnType<Client["treasury"]["simulate"]>>["balanceChanges"][number];

/** By account and token: amounts of different tokens stand in lines of their own. */
function Changes({ rows }: { rows: readonly Change[] }) {
  return (
    <Table
      caption={simulationWords.changes}
      rows={rows}
      keyOf={({ account, change }) => `${account}${change.token}`}
      columns={[
        {
          label: "Account",
          cell: ({ account, accountLabel, accountName }) => (
            <Address address={account} name={accountLabel} chosenName={accountName} />
          ),
        },
        {
          label: "Before",
          align: "end",
          cell: ({ before }) => before && <Money {...before} className="text-ink-2" />,
        },
        {
          label: "After",
          align: "end",
          cell: ({ after }) => after && <Money {...after} className="text-ink-2" />,
        },
        {
          label: "Change",
          align: "end",
          cell: ({ change }) => <Money isSigned limit={18} {...change} className="font-medium" />,
        },
      ]}
    />
  );
}
