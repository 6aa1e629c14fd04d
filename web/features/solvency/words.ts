import { amountText, integerText, listWords } from "@/lib/format.ts";
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

export const solvencyWords = {
  intro: "What the ledger owes in each token, and what the contracts hold of it.",
  loading: "Loading solvency",
  silent: {
    title: "The service does not answer",
    text: "This is the last snapshot that the service gave.",
  },
  refused: "The service gives no newer snapshot",
  atBlock: (block: number | string) => `at block ${integerText(block)},`,
  deficit: (line: SolvencyLine) => ({
    title: `In ${line.unit} the service is ${shortWords(line)}`,
    text: "It owes more than the contracts hold for those to whom it is owed.",
  }),
  empty: {
    title: "Nothing is owed to anybody yet",
    text: "The first deposit into a payment channel appears with the next snapshot.",
  },
  idle: (units: readonly string[]) => `Nothing is owed in ${listWords(units, "or")}.`,
} as const;

export const cardWords = {
  loading: "Loading solvency",
  link: "Check your proof",
  figure: "What is owed and what is held",
  asOf: (block: number | string) => `as of block ${integerText(block)}`,
  of: "of",
  held: "held",
  nothing: "nothing yet",
} as const;

export const lineWords = {
  obligations: "what the ledger owes",
  holdings: "what the contracts hold for it",
  surplus: "holdings less obligations",
  meter: "Owed against held",
  owedOf: "owed of",
  held: "held",
  owed: "What is owed",
  holders: "Who holds it",
  noHolder: "no contract holds it for the ledger",
  root: "Root of all obligations",
  rootOf: (unit: string) => `root in ${unit}`,
  isCommitted: "Sum checked by this page",
  committed: "The root is that of this sum",
  notCommitted: "No: the root is another sum's",
  signer: "Who signed it?",
  previous: "Previous root",
  previousOf: (unit: string) => `previous root in ${unit}`,
  /** Of the signature; null while this page checks it. */
  signature: (isSigned: boolean | null) =>
    isSigned === null
      ? "checking"
      : isSigned
        ? "checked by this page"
        : "the signature is not this account's",
} as const;

export const checkWords = {
  title: "Is my balance counted?",
  note: "verified in this page",
  meaning:
    "The root above commits to every single obligation and to their sum. Your proof shows that what you are owed is one of them. Your wallet signs the request, so that only you are told the amounts; this page then computes the hashes up to the root itself and reads the holdings from the chain.",
  check: "Check the proof of my balance",
  connect: "Connect a wallet to check yours",
  waiting: "Waiting for your wallet to sign the request.",
  unknown: {
    title: "The service says that it owed you nothing at this block",
    text: "If you were owed something at that block, the service hides a liability. Keep your vouchers and receipts: they can be claimed on the chain without the service. Show them to the others who are owed.",
  },
  /** For whoever listens to the page. */
  done: (isValid: boolean) => (isValid ? "The proof holds" : "The proof does not hold"),
  failed: "The proof could not be checked",
} as const;

export const proofWords = {
  leaf: "Your leaf",
  together: "Together",
  root: "The root and its block",
  reported: "Root in the report",
  reportedHash: "root in the report",
  computed: "Root that this page computed",
  computedHash: "root that this page computed",
  steps: "Steps from your leaf to the root",
  side: { left: "to the left", right: "to the right" },
  hash: "Hash of both",
} as const;

export const verdicts = {
  invalid: (problem: string | null) => ({
    title: "This proof does not hold",
    text: `${problem ?? "It could not be verified"}. Keep the proof, and show it to the others who are owed.`,
  }),
  /** Both written, without the unit. */
  counted: (owed: string, obligations: string, unit: string) => ({
    title: `Counted: ${amountText(owed, unit)} ${unit} of yours are in the root`,
    text: `Your leaf is one of those under the root that everybody is shown; together they sum to ${amountText(obligations, unit)} ${unit}.`,
  }),
  unread: {
    title: "The holdings could not be read from the chain",
    text: "The node may no longer keep the state of that block. The holdings are only the service's word.",
  },
  differing: "The chain shows other holdings than the service",
  otherBalances: (holders: readonly string[]) =>
    `These do not hold what the service says: ${holders.join(", ")}.`,
  otherBlock: "The block of the snapshot is not on the chain that this page reads.",
  equal: {
    title: "The chain shows the same holdings as the service",
    text: "This page read every holder's balance at that block itself.",
  },
} as const;
