"use client";
import { useQuery } from "@tanstack/react-query";
import { OtherTokens } from "@/features/payments/OtherTokens.tsx";
import type { Wallet } from "@/lib/model.ts";
import { walletQuery } from "@/lib/queries.ts";
import { useService, useWebConfig } from "@/lib/session.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Copy } from "@/ui/Copy.tsx";
import { Figure } from "@/ui/Figure.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { Money } from "@/ui/Money.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { PageHead, Section, Skeleton } from "@/ui/Section.tsx";
import { Table } from "@/ui/table/Table.tsx";
import { Budgets } from "./Budgets.tsx";
import { Channels } from "./Channels.tsx";
import { History } from "./History.tsx";
import { Owed } from "./Owed.tsx";
import { walletWords } from "./words.ts";

const back = { href: "/wallets", label: "Wallets" };

/** One account: on the chain, on the ledger, its budget, channels and payments. */
export function WalletPage({ address }: { address: string }) {
  const { data, error, refetch } = useQuery(walletQuery(useService(), address));
  const wallet = data?.items[0];
  return (
    <div className="space-y-6">
      <PageHead back={back} title={wallet?.name ?? "Wallet"} aside={<Explorer address={address} />}>
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          {wallet && <Badge tone="accent">{wallet.role ?? wallet.kind}</Badge>}
          <span className="font-mono text-sm [overflow-wrap:anywhere]">{address}</span>
          <Copy text={address} what="address" />
        </div>
      </PageHead>
      {error && !data && <FailureNotice error={error} onRetry={() => refetch()} />}
      {!data && !error && <Skeleton rows={4} label={walletWords.loading} />}
      {data && !wallet && <Notice title={walletWords.unknown.title}>{walletWords.unknown.text}</Notice>}
      {wallet && <Balances wallet={wallet} />}
      <Owed address={address} />
      <Budgets spender={address} />
      <Channels address={address} />
      <History address={address} />
    </div>
  );
}

function Explorer({ address }: { address: string }) {
  const { explorerUrl } = useWebConfig();
  if (!explorerUrl) return null;
  return (
    <a
      href={`${explorerUrl}/address/${address}`}
      target="_blank"
      rel="noreferrer"
      className="inline-flex min-h-9 items-center gap-1.5 text-ink-2 text-sm underline-offset-4 hover:underline"
    >
      <Icon name="open" className="size-3.5" />
      {walletWords.explorer}
      <span className="sr-only">{walletWords.newTab}</span>
    </a>
  );
}

function Balances({ wallet: { onChain, channels, ledger } }: { wallet: Wallet }) {
  return (
    <>
      <dl className="grid grid-cols-2 gap-x-8 gap-y-5 lg:grid-cols-4">
        {onChain.map((money) => (
          <Figure key={money.token} label={walletWords.onChain(money.unit)}>
            <Money {...money} />
          </Figure>
        ))}
        <Figure
          label={walletWords.earned}
          note={
            <>
              <OtherTokens amounts={channels.others.map(({ earned }) => earned)} />
              {walletWords.earning(channels.earning)}
            </>
          }
        >
          <Money {...channels.earned} />
        </Figure>
        <Figure
          label={walletWords.spent}
          note={
            <>
              <OtherTokens amounts={channels.others.map(({ spent }) => spent)} />
              of <Money {...channels.deposited} /> {walletWords.deposited(channels.paying)}
            </>
          }
        >
          <Money {...channels.spent} />
        </Figure>
      </dl>
      {ledger === null && (
        <Section title={walletWords.ledger}>
          <p className="text-ink-2 text-sm">{walletWords.ledgerOfOwner}</p>
        </Section>
      )}
      {ledger !== null && ledger.length > 0 && (
        <Section flush title={walletWords.ledger}>
          <Table
            caption="Ledger accounts"
            rows={ledger}
            keyOf={({ account, balance }) => account + balance.unit}
            columns={[
              {
                label: "Account",
                cell: ({ account }) => (
                  <span className="font-mono text-xs [overflow-wrap:anywhere]">{account}</span>
                ),
              },
              { label: "Balance", align: "end", cell: ({ balance }) => <Money {...balance} /> },
              { label: "Pending out", align: "end", cell: ({ pending }) => <Money {...pending} /> },
              { label: "Pending in", align: "end", cell: ({ incoming }) => <Money {...incoming} /> },
              {
                label: "Available",
                align: "end",
                cell: ({ available }) => <Money {...available} className="font-medium" />,
              },
            ]}
          />
        </Section>
      )}
    </>
  );
}
