"use client";
import { useQuery } from "@tanstack/react-query";
import type { Channel } from "@/lib/model.ts";
import { channelsQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Address, Hash } from "@/ui/Address.tsx";
import { Badge, type Tone } from "@/ui/Badge.tsx";
import { Money } from "@/ui/Money.tsx";
import { Section } from "@/ui/Section.tsx";
import { type Column, Table } from "@/ui/table/Table.tsx";
import { channelsWords } from "./words.ts";

const tones: Readonly<Record<Channel["state"], Tone>> = {
  opening: "info",
  open: "good",
  closing: "warn",
  closed: "neutral",
};

const columns = (side: "payer" | "receiver"): readonly Column<Channel>[] => [
  { label: "Channel", cell: ({ channelId }) => <Hash hash={channelId} what="channel id" /> },
  {
    label: side === "payer" ? "Pays" : "Paid by",
    cell: ({ config }) => (
      <Address address={side === "payer" ? config.receiver : config.payer} hasCopy={false} />
    ),
  },
  { label: "State", cell: ({ state }) => <Badge tone={tones[state]}>{state}</Badge> },
  { label: "Deposit", align: "end", cell: ({ deposit }) => <Money {...deposit} /> },
  { label: "Promised", align: "end", cell: ({ accepted }) => <Money {...accepted} /> },
  { label: "Claimed", align: "end", cell: ({ claimed }) => <Money {...claimed} /> },
  {
    label: "Left",
    align: "end",
    cell: ({ available }) => <Money {...available} className="font-medium" />,
  },
];

/** The channels through which an account pays and is paid. */
export function Channels({ address }: { address: string }) {
  return (
    <>
      <Side side="payer" title={channelsWords.paying} address={address} />
      <Side side="receiver" title={channelsWords.earning} address={address} />
    </>
  );
}

function Side({ side, title, address }: { side: "payer" | "receiver"; title: string; address: string }) {
  const { data } = useQuery(channelsQuery(useService(), side, address));
  if (!data || data.items.length === 0) return null;
  return (
    <Section flush title={title} note={`${data.items.length}${data.next ? "+" : ""}`}>
      <Table caption={title} columns={columns(side)} rows={data.items} keyOf={({ channelId }) => channelId} />
    </Section>
  );
}
