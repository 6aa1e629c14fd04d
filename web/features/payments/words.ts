import { amountText, integerText, plural, scaled } from "@/lib/format.ts";
import { goneBadge } from "@/lib/live/earlierRun.ts";
import type { Batch, Clearing, Receipt } from "@/lib/model.ts";
import type { Tone } from "@/ui/Badge.tsx";

/** What the pages about payments, batches and clearing say. */

const batchBadges: Readonly<Record<Batch["state"], { word: string; tone: Tone }>> = {
  open: { word: "Filling", tone: "info" },
  closed: { word: "Closed", tone: "neutral" },
  submitted: { word: "Submitted", tone: "accent" },
  settled: { word: "Settled", tone: "good" },
  lost: { word: "Lost", tone: "bad" },
};

/** A state that was true only on the chain that is gone is none any more. */
export const batchBadge = ({ state }: Pick<Batch, "state">, isGone: boolean): { word: string; tone: Tone } =>
  isGone ? goneBadge : batchBadges[state];

export const epochBadges: Readonly<
  Record<Clearing["epochs"][number]["state"], { word: string; tone: Tone }>
> = {
  cut: { word: "Being claimed", tone: "info" },
  filling: { word: "Being filled", tone: "accent" },
  pending: { word: "Open to challenge", tone: "warn" },
  settled: { word: "Settled", tone: "accent" },
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
  receipt: Pick<Receipt, "state" | "credit" | "refusal">,
  isGone: boolean,
): { name: string; words: string; isReached: boolean }[] {
  const order = ["accepted", "claimed", "settled"];
  const reached = order.indexOf(receipt.state);
  const isCounted = !isGone && reached >= 0;
  return [
    {
      name: "Accepted",
      words: isCounted
        ? "The voucher is verified and durable; the payee can count on it"
        : "The voucher was verified and durable",
      isReached: true,
    },
    ...(!isCounted
      ? [isGone ? goneStage : refusedStage(receipt)]
      : [
          { name: "Claimed", words: "Its batch is in a block", isReached: reached >= 1 },
          ...(receipt.credit ? creditStages(receipt.credit, reached >= 2) : [settledStage(reached >= 2)]),
        ]),
  ];
}

const goneStage = {
  name: "Written off",
  words: "The chain that it was on is gone, and with it whatever was claimed or credited there",
  isReached: true,
};

/** What its batch left out; or of a batch of which nothing could be claimed, which may have no reason of its own. */
const refusedStage = ({ state, refusal }: Pick<Receipt, "state" | "refusal">) => ({
  name: state === "refused" ? "Refused" : "Lost",
  words: `Its voucher was not taken${refusal ? `: ${refusal.reason}` : ""}. The payee is not paid`,
  isReached: true,
});

const settledStage = (isReached: boolean) => ({
  name: "Settled",
  words: "The payee's money is claimed from the channel for good, and the ledger has posted it",
  isReached,
});

/** By a cleared channel the money goes to Clearing first: that it is claimed does not say that the payee has it. */
const creditStages = ({ epoch }: NonNullable<Receipt["credit"]>, isCredited: boolean) => [
  {
    name: "Credited",
    words: "Clearing has claimed the money from the channel for good, and owes it to the payee",
    isReached: isCredited,
  },
  {
    name: "Paid out",
    words: `In epoch ${integerText(epoch)} at the latest. Whether it has been is not known here; the payee's page in Wallets says what was paid out in all`,
    isReached: false,
  },
];

export const paymentsWords = {
  intro: "Agents pay each other by signed vouchers; each batch of them settles in one transaction.",
  newest: "Newest payments",
  pending: (payments: number) => `${integerText(payments)} not yet settled`,
  parties: (payers: number, payees: number) => `${plural(payers, "payer")}, ${plural(payees, "payee")}`,
  cost: "Cost per payment",
  settled: (batches: number) => plural(batches, "batch settled", "batches settled"),
  gasSaved: "compared with one transfer for each",
} as const;

export const paymentListWords = {
  loading: "Loading payments",
  paused: "paused",
  older: "Show older payments",
  empty: { title: "No payment yet", text: "The first accepted voucher appears here within a second." },
} as const;

export const rateWords = {
  title: "Payments per second",
  paused: "paused",
  /** Those of a good beginning are short: the head of the section keeps its lines. */
  states: { live: "live", connecting: "connecting", polling: "waiting for the live stream" },
  caption: "Payments per second, newest first",
  noRecent: "No recent payment",
  notStarted: "The chart starts when the live stream does",
  now: (rate: string) => `${rate} payments per second now; the table lists the figures.`,
  noneSeen: "No payment seen yet.",
} as const;

export const openBatchWords = {
  title: "Open batch",
  note: "closes at the first limit",
  show: "See it",
  loading: "Loading the open batch",
  empty: { title: "No batch is open", text: "The next payment opens one." },
  payments: (payments: number, most: number) => `${payments} of ${plural(most, "payment")}`,
  age: (age: string, most: string) => `${age} of ${most}`,
  other: (unit: string) => `Open in ${unit}:`,
  count: (payments: number) => plural(payments, "payment"),
} as const;

export const batchListWords = {
  loading: "Loading batches",
  caption: "Batches, newest first",
  older: "Show older batches",
  gasPerPayment: "Gas per payment",
  empty: { title: "No batch yet", text: "The first payment opens one; it settles when it reaches a limit." },
} as const;

export const batchWords = {
  loading: "Loading the batch",
  lost: {
    title: "The chain took none of this batch's vouchers",
    text: "Its payments are not paid. Each is tried again as long as its channel covers it, unless the chain they were made on is gone.",
  },
  gone: {
    title: goneBadge.word,
    text: "The chain was restarted from another genesis. Whatever this batch settled on the old one counts no more.",
  },
  refused: (vouchers: number) => `${plural(vouchers, "voucher")} could not be claimed`,
  ofChannel: "of channel",
  rest: (vouchers: number) =>
    vouchers === 1
      ? "The rest of the batch settles without it; it is tried again as long as its channel covers it."
      : "The rest of the batch settles without them; each is tried again as long as its channel covers it.",
  channels: (channels: number) => `over ${plural(channels, "channel")}`,
  gasPerPayment: "Gas per payment",
  gasInAll: (gas: string | null) => (gas ? `${integerText(gas)} gas in all` : "known when it is mined"),
  noTransaction: "not yet",
  payments: "Payments in this batch",
} as const;

export const clearingWords = {
  note: "One deposit pays everybody; payees are paid together, about a day later",
  loading: "Loading the clearing hub",
  total: "Credits",
  caption: "Epochs, newest first",
  empty: {
    title: "No epoch yet",
    text: "The first epoch is cut when a cleared payment has waited long enough. Its payees are paid a day after it is sealed, unless a receipt says more than it credits.",
  },
  bondTooLow: {
    title: "The operator's bond is too low",
    text: "The contract takes no epoch from the operator until it stakes more, and no cleared channel is opened.",
  },
  credited: "Credited to payees",
  received: "Received by the contract",
  everNote: "in all",
  bond: "Operator's bond",
  atLeast: "at least",
  operator: "Operator",
  office: (office: number) => `office ${integerText(office)}`,
  leastCredit: "Least credit",
  leastNote: "what is less waits for more",
  exitCap: "Most by demands",
  capNote: "at once and as much in a day, by receipts that no epoch honoured",
} as const;

export const closingWords = {
  title: "A payer is withdrawing before everything is claimed",
  owes: "owes",
  byChannel: "through channel",
  claim: (isClaiming: boolean) => (isClaiming ? "The claim is under way." : "It has not been claimed yet."),
} as const;

export const receiptWords = {
  loading: "Loading the receipt",
  refused: {
    title: "This payment is not paid",
    text: (reason: string) =>
      `Its batch settles without it, because its voucher was not taken: ${reason}. The payee cannot count on it. It is tried again as long as the channel covers it.`,
  },
  lost: {
    title: "This payment is not paid",
    text: "The chain did not take its voucher: the channel no longer covered it, or the chain it was made on is gone. It is tried again as long as the channel covers it.",
  },
  gone: {
    title: goneBadge.word,
    text: "The chain was restarted from another genesis. Whatever this payment moved on the old one counts no more, and nobody is paid for it.",
  },
  progress: "Progress",
  reached: (isReached: boolean) => (isReached ? ", reached" : ", not reached as far as is known here"),
  noFootprint: "No metered work belongs to this payment, so it carries no carbon and no ATP.",
  signed: "Signed by the operator",
  proof: "signature and proof",
  credit: "Payee's credit after this payment",
  creditIn: (baseUnits: string, epoch: number) =>
    `${integerText(baseUnits)} base units, in epoch ${integerText(epoch)} at the latest`,
  creditReceipt: "Operator's receipt for it",
  cumulative: "Channel's cumulative amount after this payment",
  baseUnits: (amount: string) => `${integerText(amount)} base units`,
  noTransaction: "not yet",
} as const;
