import { amountText, integerText, scaled } from "@/lib/format.ts";
import type { Batch, Clearing, Receipt } from "@/lib/model.ts";
import type { Tone } from "@/ui/Badge.tsx";

/** States of receipts and batches as people read them. */

export const batchBadges: Readonly<Record<Batch["state"], { word: string; tone: Tone }>> = {
  open: { word: "Filling", tone: "info" },
  closed: { word: "Closed", tone: "neutral" },
  submitted: { word: "Submitted", tone: "accent" },
  settled: { word: "Settled", tone: "good" },
  lost: { word: "Lost", tone: "bad" },
};

export const rootBadges: Readonly<Record<Clearing["roots"][number]["state"], { word: string; tone: Tone }>> =
  {
    cut: { word: "Being claimed", tone: "info" },
    submitted: { word: "Submitted", tone: "accent" },
    pending: { word: "Open to challenge", tone: "warn" },
    final: { word: "Final", tone: "accent" },
    paid: { word: "Paid out", tone: "good" },
    void: { word: "Voided", tone: "bad" },
  };

type Decision = Batch["decisions"][number];

const reasons: Readonly<Record<Decision["reason"], string>> = {
  size: "it was full",
  value: "its value was reached",
  age: "its time was up",
  forced: "it was closed by hand",
  withdrawal: "a payer withdraws",
  payments: "no limit is reached",
  gas: "gas is dearer than its median",
  energy: "the grid is dirtier than its median",
  worth: "it is not worth its gas yet",
};

export const closedWords = (batch: Pick<Batch, "closedBy">): string =>
  batch.closedBy ? `closed because ${reasons[batch.closedBy]}` : "still filling";

/** One decision, such as "waits: gas is dearer than its median". */
export const decisionWords = ({ action, reason }: Pick<Decision, "action" | "reason">): string =>
  `${action === "wait" ? "waits" : "settled"}: ${reasons[reason]}`;

/** Why the batch is where it is, in a few words. */
export function whyWords({ decisions, closedBy }: Pick<Batch, "decisions" | "closedBy">): string {
  const last = decisions.at(-1);
  if (last) return decisionWords(last);
  return closedBy ? reasons[closedBy] : "filling";
}

/** What a decision was made on, such as "gas 1.2 gwei, median 1 gwei"; null when nothing was weighed. */
export function weighedWords({
  gas,
  energy,
  cost,
}: Pick<Decision, "gas" | "energy" | "cost">): string | null {
  const words = [
    gas && `gas ${scaledWords(gas.now, 9)} gwei, median ${scaledWords(gas.median, 9)}`,
    energy && `grid ${scaledWords(energy.now, 3)} g CO₂e per kWh, median ${scaledWords(energy.median, 3)}`,
    cost && `settling costs ${cost.amount} ${cost.unit}`,
  ].filter((part) => part !== null);
  return words.length > 0 ? words.join("; ") : null;
}

const scaledWords = (figure: string, decimals: number): string => amountText(scaled(figure, decimals));

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
