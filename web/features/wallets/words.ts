import { integerText } from "@/lib/format.ts";
import type { Budget, Wallet } from "@/lib/model.ts";
import { absoluteText, lastWrittenMoment } from "@/lib/time.ts";

/** What the pages about wallets say. */

/** What a budget of today comes to where no amount says it; null where what is left does. */
export function budgetStanding(
  { frozen, validUntil, limitToday, leftToday }: NonNullable<Wallet["budget"]>,
  now: number,
  isPaused: boolean,
): string | null {
  if (isPaused) return "Treasury paused: no more from it";
  if (frozen) return "Frozen: no more from the Treasury";
  if (hasEnded(validUntil, now)) return `Ended: no more ${leftToday.unit} from the Treasury`;
  return limitToday.amount === "unlimited" ? `No daily limit in ${leftToday.unit}` : null;
}

export const walletsWords = {
  intro: "What each account holds on the chain, and what it has earned and spent through payment channels.",
  title: "All wallets",
  loading: "Loading wallets",
  onChain: "On the chain",
  left: "left",
  more: "Show more wallets",
  empty: { title: "No wallet yet", text: "Agents appear here when they register." },
} as const;

export const walletWords = {
  loading: "Loading the wallet",
  unknown: {
    title: "Bursar does not know this address",
    text: "It is not a registered agent, an owner or a treasury; its payments, if any, are below.",
  },
  explorer: "Explorer",
  newTab: " (new tab)",
  onChain: (unit: string) => `${unit} on the chain`,
  earned: "Earned through channels",
  earning: (channels: number) => `${channels} earning`,
  spent: "Spent through channels",
  deposited: (paying: number) => `deposited, ${paying} paying`,
  ledger: "On the ledger",
  ledgerOfOwner:
    "Only the account's owner and the operator can ask for its ledger balances, with a signed request.",
} as const;

export const budgetWords = {
  /** While none is known. */
  all: "Budgets",
  loading: "Loading the account's budgets",
  /** An older answer stands below. */
  old: {
    title: "The budgets could not be read again",
    text: "What stands here was read before: meanwhile an owner may have frozen the account, lowered a budget or removed it.",
  },
  title: (unit: string) => `Budget in ${unit}`,
  approvalAbove: "owners must approve payments above",
  unknownToken: "Bursar does not know the token",
  recipientsOnly: "Allowed recipients only",
  perPayment: "Most for one payment",
  /** Of a window, or of one payment. */
  noLimit: (window: string) => (window === "transaction" ? "No limit for one payment" : `No ${window} limit`),
  resets: "the full limit is available again",
  paused: "Treasury paused",
  ended: "Ended",
} as const;

/** Why nothing of a budget can be spent, whatever its limits leave; null where they say it. */
export function budgetStop(
  { frozen, validUntil }: Pick<Budget, "frozen" | "validUntil">,
  now: number,
  isPaused: boolean,
): string | null {
  const still = "What the agent holds itself, and has in channels, it can still spend.";
  if (isPaused) return `The Treasury is paused: nothing more can be taken from it. ${still}`;
  if (frozen) return `The agent is frozen: nothing more can be taken from the Treasury. ${still}`;
  if (!hasEnded(validUntil, now)) return null;
  return `Ended ${absoluteText(validUntil)}: nothing more can be taken from the Treasury. ${still}`;
}

export const hasEnded = (validUntil: number | null, now: number): validUntil is number =>
  validUntil !== null && validUntil <= now;

/** Until when it can be spent from; null of one that has ended, and of one without an end. */
export const budgetEnd = ({ validUntil }: Pick<Budget, "validUntil">, now: number): string | null =>
  validUntil === null || validUntil > lastWrittenMoment || hasEnded(validUntil, now)
    ? null
    : `until ${absoluteText(validUntil)}`;

export const channelsWords = {
  paying: "Channels it pays through",
  earning: "Channels it is paid through",
} as const;

export const historyWords = {
  loading: "Loading payments",
  hasPaidNobody: "No payment through channels yet",
  wasPaidByNobody: "No payment received through channels yet",
  caption: "Payments of this account",
  older: "Show older payments",
} as const;

export const owedWords = {
  title: "Owed by Clearing",
  note: "from cleared channels of any payer",
  credited: "Credited in all",
  paid: "Paid out in all",
  receipt: "Operator's receipt",
  inEpoch: (epoch: number) => `in epoch ${integerText(epoch)} at the latest`,
  settled: "Settled on the chain",
  pending: "Open to challenge",
  demand: "Without the operator",
  noReceipt: "None: another operator is in office. Those that the payee keeps hold until they expire",
} as const;
