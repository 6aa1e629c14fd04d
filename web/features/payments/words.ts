import { integerText } from "@/lib/format.ts";
import type { Batch, Receipt } from "@/lib/model.ts";
import type { Tone } from "@/ui/Badge.tsx";

/** States of receipts and batches as people read them. */

export const batchBadges: Readonly<Record<Batch["state"], { word: string; tone: Tone }>> = {
  open: { word: "Filling", tone: "info" },
  closed: { word: "Closed", tone: "neutral" },
  submitted: { word: "Submitted", tone: "accent" },
  settled: { word: "Settled", tone: "good" },
  lost: { word: "Lost", tone: "bad" },
};

const reasons: Readonly<Record<NonNullable<Batch["closedBy"]>, string>> = {
  size: "it was full",
  value: "its value was reached",
  age: "its time was up",
  forced: "it was closed by hand",
};

export const closedWords = (batch: Pick<Batch, "closedBy">): string =>
  batch.closedBy ? `closed because ${reasons[batch.closedBy]}` : "still filling";

/** Gas of the batch's transaction per payment in it, to a tenth; null before it is mined. */
export function gasPerPayment({ gasUsed, payments }: Pick<Batch, "gasUsed" | "payments">): string | null {
  if (gasUsed === null || payments === 0) return null;
  const tenths = (BigInt(gasUsed) * 10n) / BigInt(payments);
  return `${integerText(tenths / 10n)}.${tenths % 10n}`;
}

/** The stages of a payment, each reached or not. */
export function stages(
  receipt: Pick<Receipt, "state">,
): { name: string; words: string; isReached: boolean }[] {
  const order = ["accepted", "claimed", "settled"];
  const reached = order.indexOf(receipt.state);
  return [
    {
      name: "Accepted",
      words: "The voucher is verified and durable; the payee can count on it",
      isReached: reached >= 0,
    },
    { name: "Claimed", words: "Its batch is in a block", isReached: reached >= 1 },
    {
      name: "Settled",
      words: "The payee has the money, and the ledger has posted it",
      isReached: reached >= 2,
    },
  ];
}
