"use client";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNow } from "@/lib/clock.tsx";
import { difference, share } from "@/lib/format.ts";
import type { Wallet } from "@/lib/model.ts";
import { treasuryQuery, walletsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address } from "@/ui/Address.tsx";
import { Badge, type Tone } from "@/ui/Badge.tsx";
import { Button } from "@/ui/Button.tsx";
import { Meter } from "@/ui/Meter.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice } from "@/ui/Notice.tsx";
import { Empty, Section, Skeleton } from "@/ui/Section.tsx";
import { type Column, Table } from "@/ui/table/Table.tsx";
import { budgetStanding, walletsWords } from "./words.ts";

export const kindTones: Readonly<Record<Wallet["kind"], Tone>> = {
  treasury: "accent",
  agent: "neutral",
  owner: "info",
  operator: "neutral",
};

const columns: readonly Column<Wallet>[] = [
  { label: "Wallet", cell: ({ address, name }) => <Address address={address} name={name} /> },
  {
    label: "Kind",
    cell: ({ kind, role }) => <Badge tone={kindTones[kind]}>{role ?? kind}</Badge>,
  },
  {
    label: walletsWords.onChain,
    align: "end",
    cell: ({ onChain }) => (
      <span className="inline-grid justify-items-end">
        {onChain.map((money) => (
          <Money key={money.token} {...money} limit={isCoin(money.token) ? 4 : 6} />
        ))}
      </span>
    ),
  },
  { label: "Earned", align: "end", cell: ({ channels }) => <Money {...channels.earned} /> },
  { label: "Spent", align: "end", cell: ({ channels }) => <Money {...channels.spent} /> },
  {
    label: "Budget today",
    cell: ({ budget, otherBudgets }) => {
      const budgets = budget ? [budget, ...otherBudgets] : otherBudgets;
      return budgets.length > 0 ? (
        budgets.map((one) => <BudgetToday key={one.limitToday.token} {...one} />)
      ) : (
        <span className="text-ink-3">none</span>
      );
    },
  },
];

const isCoin = (token: string): boolean => /^0x0+$/.test(token);

/** In one token. */
function BudgetToday(budget: NonNullable<Wallet["budget"]>) {
  const { limitToday, leftToday } = budget;
  const { data: treasury } = useQuery(treasuryQuery(useService()));
  const words = budgetStanding(budget, useNow(), treasury?.paused ?? false);
  if (words !== null) return <p className="min-w-44">{words}</p>;
  return (
    <div className="w-full min-w-44">
      <Meter
        label="Spent"
        value={share(difference(limitToday.amount, leftToday.amount), limitToday.amount)}
        words={
          <>
            <Money {...leftToday} /> {walletsWords.left}
          </>
        }
      />
    </div>
  );
}

/** The accounts that Bursar knows, its own first, then agents by the time of their registration. */
export function WalletList() {
  const answer = useInfiniteQuery(walletsQuery(useService()));
  const { data, error, refetch, isPending } = answer;
  const rows = data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Section flush title={walletsWords.title} note={data && `${rows.length}${answer.hasNextPage ? "+" : ""}`}>
      {isPending && <Skeleton rows={6} label={walletsWords.loading} />}
      {error && !data && (
        <div className="p-4">
          <FailureNotice error={error} onRetry={() => refetch()} />
        </div>
      )}
      {data && rows.length === 0 && <Empty title={walletsWords.empty.title}>{walletsWords.empty.text}</Empty>}
      {rows.length > 0 && (
        <Table
          caption="Wallets"
          columns={columns}
          rows={rows}
          keyOf={({ kind, address }) => kind + address}
        />
      )}
      {answer.hasNextPage && (
        <div className="border-line border-t p-2 text-center">
          <Button look="quiet" isBusy={answer.isFetchingNextPage} onClick={() => answer.fetchNextPage()}>
            {walletsWords.more}
          </Button>
        </div>
      )}
    </Section>
  );
}
