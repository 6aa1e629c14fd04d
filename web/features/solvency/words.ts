import { amountText, listWords } from "@/lib/format.ts";
import type { SolvencyLine, SolvencyReport } from "@/lib/model.ts";
import type { Tone } from "@/ui/Badge.tsx";

/** What each part of what is owed is called, in the order in which money moves through them. */
export const partNames = {
  deposits: "Free in payers' channels",
  promised: "Promised by vouchers",
  claimed: "Claimed, not paid out",
  credits: "Credited by Clearing",
  balance: "Ledger balances",
} as const satisfies Record<keyof SolvencyLine["parts"], string>;

export type PartName = keyof typeof partNames;
export const parts = Object.keys(partNames) as PartName[];

/** "short by 1.50 USDC" without its sign. */
export const shortWords = ({ surplus }: SolvencyLine): string =>
  `short by ${amountText(surplus.amount.replace("-", ""), surplus.unit)} ${surplus.unit}`;

export const verdictOf = (line: SolvencyLine): { word: string; tone: Tone } =>
  line.isSolvent ? { word: "Solvent", tone: "good" } : { word: shortWords(line), tone: "bad" };

/** The whole report in one sentence. */
export function verdictWords({ items, isSolvent }: SolvencyReport): string {
  if (isSolvent) return "Solvent";
  return `Short: ${listWords(items.filter((line) => !line.isSolvent).map((line) => shortWords(line).slice("short by ".length)))}`;
}

export const statusBadges: Readonly<
  Record<SolvencyReport["status"], { word: string; tone: Tone; title: string }>
> = {
  confirmed: { word: "Final", tone: "good", title: "No reorganisation is expected to reach this block." },
  pending: { word: "Not final yet", tone: "neutral", title: "A reorganisation could still drop this block." },
  retracted: {
    word: "Dropped by the chain",
    tone: "warn",
    title: "The chain was reorganised; the next snapshot stands on what it is now.",
  },
};

/** Neither owed nor held: nothing to look at. */
export const isIdle = ({ obligations, holdings }: SolvencyLine): boolean =>
  !/[1-9]/.test(obligations.amount + holdings.amount);
