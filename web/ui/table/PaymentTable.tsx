import Link from "next/link";
import { co2Text, shortHex } from "@/lib/format.ts";
import { goneBadge, useIsOfEarlierRun } from "@/lib/live/earlierRun.ts";
import type { Receipt } from "@/lib/model.ts";
import { Address } from "../Address.tsx";
import { Badge, type Tone } from "../Badge.tsx";
import { Money } from "../Money.tsx";
import { Ago } from "../Time.tsx";
import { type Column, Table } from "./Table.tsx";

/** States of a receipt as people read them. */
const receiptBadges: Readonly<Record<Receipt["state"], { word: string; tone: Tone }>> = {
  accepted: { word: "Accepted", tone: "info" },
  claimed: { word: "Claimed", tone: "accent" },
  settled: { word: "Settled", tone: "good" },
  refused: { word: "Refused", tone: "bad" },
  lost: { word: "Lost", tone: "bad" },
};

/** What is settled by a cleared channel is owed to the payee by Clearing: that it was paid out is not said. */
export const receiptBadge = (
  { state, credit }: Pick<Receipt, "state" | "credit">,
  isGone: boolean,
): { word: string; tone: Tone } =>
  isGone
    ? goneBadge
    : state === "settled" && credit
      ? { word: "Credited", tone: "accent" }
      : receiptBadges[state];

const columns: readonly Column<Receipt>[] = [
  {
    label: "Payment",
    cell: ({ paymentId }) => (
      <Link
        href={`/payments/${encodeURIComponent(paymentId)}`}
        title={paymentId}
        className="font-mono text-[0.92em] underline-offset-4 hover:underline"
      >
        {paymentId.length > 16 ? shortHex(paymentId, 5) : paymentId}
      </Link>
    ),
  },
  { label: "From", cell: ({ payer }) => <Address address={payer} hasCopy={false} /> },
  { label: "To", cell: ({ payee }) => <Address address={payee} hasCopy={false} /> },
  { label: "Amount", align: "end", cell: ({ amount }) => <Money {...amount} /> },
  {
    label: "Carbon",
    align: "end",
    cell: ({ carbon }) => {
      if (!carbon) return "–";
      const { value, unit } = co2Text(carbon.co2Micrograms);
      return (
        <span className="whitespace-nowrap">
          {value} <span className="text-ink-3 text-xs">{unit}</span>
        </span>
      );
    },
  },
  {
    label: "State",
    cell: (receipt) => <State receipt={receipt} />,
  },
  { label: "Accepted", align: "end", cell: ({ acceptedAt }) => <Ago at={acceptedAt} /> },
];

function State({ receipt }: { receipt: Receipt }) {
  const { word, tone } = receiptBadge(receipt, useIsOfEarlierRun()(receipt.acceptedAt));
  return <Badge tone={tone}>{word}</Badge>;
}

/** Payments as rows; every id leads to its receipt. */
export function PaymentTable({ caption, receipts }: { caption: string; receipts: readonly Receipt[] }) {
  return <Table caption={caption} columns={columns} rows={receipts} keyOf={({ paymentId }) => paymentId} />;
}
