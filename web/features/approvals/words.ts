import { chainName } from "@/lib/config.ts";
import { listWords, plural, shortHex } from "@/lib/format.ts";
import { goneBadge } from "@/lib/live/earlierRun.ts";
import type { Call, Proposal, ProposalState } from "@/lib/model.ts";
import { isSelfChosen, quoted } from "@/lib/names.ts";
import { absoluteText, lastWrittenMoment } from "@/lib/time.ts";
import type { Tone } from "@/ui/Badge.tsx";
import { type BudgetLimit, missingLimits, type QueueFilter, standing } from "./rules.ts";

/** What the pages about proposals say. */

const badges: Readonly<Record<ProposalState, { word: string; tone: Tone }>> = {
  open: { word: "Needs signatures", tone: "warn" },
  ready: { word: "Ready to execute", tone: "info" },
  executed: { word: "Executed", tone: "good" },
  superseded: { word: "Ended: another of its nonce was executed", tone: "neutral" },
  cancelled: { word: "Rejected", tone: "neutral" },
  expired: { word: "Expired", tone: "neutral" },
  outdated: { word: "Void: another number of owners decides", tone: "neutral" },
  lost: { word: "Not followed: the chain was restarted", tone: "bad" },
};

const rejectedElsewhere = { word: "Rejected on a chain that is gone", tone: "bad" } as const;
const endedElsewhere = { word: "Ended on a chain that is gone", tone: "bad" } as const;
const takenBack = { word: "Opening taken back by the chain", tone: "bad" } as const;

/** Of one that the service, or the chain, may still see otherwise. */
const late = { word: "Time is up", tone: "neutral" } as const;

/** The state in one word and its tone. Past its deadline a proposal waits for nothing, whatever the service said last. */
export function stateBadge(
  proposal: Pick<Proposal, "state" | "deadline" | "unfollowed" | "takenBack">,
  now: number,
  isGone: boolean,
): { word: string; tone: Tone } {
  if (proposal.state === "lost" && proposal.takenBack) return takenBack;
  if (proposal.state === "superseded" && proposal.unfollowed) return endedElsewhere;
  if (proposal.state === "cancelled" && proposal.unfollowed) return rejectedElsewhere;
  if (isGone && proposal.state === "executed") return goneBadge;
  const isLate = (proposal.state === "open" || proposal.state === "ready") && proposal.deadline <= now;
  return isLate ? late : badges[proposal.state];
}

/** What became of a proposal on a chain that was restarted since. */
const beforeRestart: Readonly<Partial<Record<ProposalState, string>> & { lost: string }> = {
  executed: "It was executed on a chain that is gone; what it moved there is written off.",
  cancelled: "An owner rejected it on a chain that is gone, which counts for nothing on the new one.",
  superseded:
    "Another proposal of its nonce was executed on a chain that is gone, which counts for nothing on the new one.",
  lost: "It was opened on a chain that is gone, and is not followed on the new one.",
};

/** The restarted chain has the same id, and the same Treasury at the same address: EIP-712 signatures are as good there. */
function onNewChain({ deadline }: Pick<Proposal, "deadline">, now: number): string {
  if (deadline <= now) return "It has expired, so nobody can execute it on the new one.";
  const signed = "Its signatures are valid on the new one too";
  return `${signed}: whoever has enough of them can execute it ${proposalWords.until(deadline)}, unless an owner rejects it there.`;
}

/** The contract asks for signatures, and for no opening. */
function afterTakingBack({ deadline }: Pick<Proposal, "deadline">, now: number): string {
  const what = "A reorganisation of the chain took its opening back.";
  if (deadline <= now) return `${what} It has expired; it can never be executed.`;
  return `${what} Its signatures are valid all the same: whoever has enough of them can execute it ${proposalWords.until(deadline)}, unless an owner rejects it. To go on with it, propose it anew.`;
}

/** What has to happen next. */
export function nextStep(
  proposal: Proposal,
  viewer: string | undefined,
  now: number,
  nameOf: (owner: string) => string,
  isGone = false,
): string {
  const { isOpen, needed, canSign, canFinish } = standing(proposal, viewer, now);
  if (proposal.state === "lost" && proposal.takenBack) return afterTakingBack(proposal, now);
  if (proposal.unfollowed || (proposal.state === "executed" && isGone))
    return `${beforeRestart[proposal.state] ?? beforeRestart.lost} ${onNewChain(proposal, now)}`;
  if (proposal.state === "executed") return "It has been executed on the chain.";
  if (proposal.state === "cancelled") return "An owner rejected it on the chain; it can never be executed.";
  if (proposal.state === "superseded")
    return "Another proposal of the same nonce was executed, so this one can never be.";
  if (proposal.state === "outdated")
    return "The owners have changed how many of them decide since it was opened, so its signatures count nothing. To go on with it, propose it anew.";
  if (proposal.state === "expired") return "It has expired; it can never be executed.";
  // By the page's own reckoning alone nothing is said for ever.
  if (!isOpen) return "Its time seems to be up; the service has not said yet that it has expired.";
  if (needed === 0) return "Enough owners have signed. Anyone may execute it now.";
  if (canFinish) return "Yours is the last signature it needs.";
  if (canSign)
    return `You have not signed; ${plural(needed, "signature is", "signatures are")} still needed.`;
  const others = proposal.missing.map(nameOf);
  return needed === others.length
    ? `${listWords(others)} must still sign.`
    : `${plural(needed, "signature is", "signatures are")} still needed, from ${listWords(others, "or")}.`;
}

const appearsAtOnce =
  "A payment above an agent's approval line appears here; payments beyond a limit are refused and not listed.";

export const queueFilters: readonly { value: QueueFilter; label: string }[] = [
  { value: "waiting", label: "Waiting" },
  { value: "executed", label: "Executed" },
  { value: "closed", label: "Closed" },
  { value: "all", label: "All" },
];

export const queueEmpty: Readonly<Record<QueueFilter, { title: string; text: string }>> = {
  waiting: { title: "Nothing to decide", text: appearsAtOnce },
  executed: {
    title: "No proposal has been executed yet",
    text: "Executed proposals stay here with their transactions.",
  },
  closed: {
    title: "No proposal has been rejected or has expired",
    text: "Such proposals stay here for the record, and those of which the nonce was used by another, or that were open when the chain was restarted.",
  },
  all: { title: "No proposal has been opened yet", text: appearsAtOnce },
};

export const queueWords = {
  intro: "What owners must decide: payments above an agent's approval line, budgets, freezes. In any order.",
  loading: "Loading proposals",
  older: "Show older proposals",
  all: (total: number) => `All ${total} that need my signature`,
  choose: (proposal: string) => `Choose: ${proposal}`,
  asked: ({ proposer, proposerName }: Pick<Proposal, "proposer" | "proposerName">) =>
    proposerName === null
      ? `${shortHex(proposer)} asked`
      : `${quoted(proposerName)} (${shortHex(proposer)}, self-chosen name) asked`,
  hasWarnings: "Look closely",
  mine: "Yours to decide",
} as const;

export const waitingWords = {
  /** @param isConnected somebody looks who could be one of them */
  title: (isConnected: boolean) => (isConnected ? "Waiting for you" : "Waiting for owners"),
  loading: "Loading what is waiting",
  /** @param isMore there are others that the page has not asked for */
  note: (open: number, mine: number | null, isMore: boolean) => {
    if (mine !== null) return `${mine} of ${isMore ? "the newest " : ""}${open} yours to decide`;
    return isMore ? `more than ${plural(open, "proposal")}` : plural(open, "proposal");
  },
  all: (open: number, isMore: boolean) => (isMore ? "All" : `All ${open}`),
  connect: "Connect to decide",
  empty: {
    title: "Nothing to decide",
    text: appearsAtOnce,
  },
} as const;

export const proposalWords = {
  loading: "Loading the proposal",
  askedBy: "asked by",
  calls: "What it does",
  callsNote: (calls: number) => `${calls} calls, all or none`,
  why: "Why owners must approve it",
  /** Around the amount. */
  aboveLimit: ["the proposer's payments above", "need approval"],
  /** Where the budget was changed since. */
  aboveThen: "it was above the proposer's approval line when the agent asked for it",
  treasury: "Of the Treasury",
  deadline: "Can be executed",
  until: (deadline: number) =>
    deadline > lastWrittenMoment ? "at any time" : `until ${absoluteText(deadline)}`,
  id: "Proposal id (EIP-712 hash)",
  nonce: "Nonce",
  /** What else has it: of these and the one on the page only one is ever executed. */
  nonceOf: {
    alone: "No other proposal was opened with it: it blocks none.",
    unknown:
      "The chain did not say which other proposals were opened with it: only one of a nonce is ever executed.",
    shared: (others: number) =>
      `${plural(others, "other proposal was", "other proposals were")} opened with it, and only one of all is ever executed:`,
  },
  supersededBy: "Executed instead",
  unopened: "It was never opened, so nothing more is known of it here.",
} as const;

export const callWords = {
  target: "Calls",
  coin: (unit: string) => `${unit} sent`,
  noCoin: "none",
  replaces: "Changes",
  /** Of a budget that is set. */
  replaced: {
    loading: "Reading the budget that it replaces…",
    unread: "The budget that it replaces could not be read.",
    nothing: "It replaces no budget: there is none for this spender in this token now.",
    same: "Nothing of the budget that stands.",
    none: "none",
    until: "valid until",
    moment: (at: number | null) =>
      at === null || at > lastWrittenMoment ? "without an end" : absoluteText(at),
    recipients: "who may be paid",
    recipientsOnly: (isOnly: boolean) => (isOnly ? "allowed recipients only" : "any recipient"),
    to: "→",
  },
} as const;

/** What to stop at before signing, for each code of the service. */
export const warningWords: Readonly<Record<Call["warnings"][number], string>> = {
  nativeValue: "It sends the chain's own coin.",
  unreadableData: "Its data cannot be read: what it does is not known here.",
  notExplained: "What this function brings about is not explained here: look it up in the contract.",
  unknownContract: "It calls a contract whose functions Bursar does not know.",
  unknownToken:
    "It is about a token that Bursar does not know: amounts are in base units, and it may be anything.",
  unlimitedApproval: "It lets somebody take all of a token that the Treasury has or ever gets.",
  missingLimit: "The budget lacks a limit: its sentence says which.",
  unlimitedBudget: "Nothing limits the budget in any hour, day, week or month.",
  noExpiry: "The budget never ends by itself.",
  changesOwners: "It changes who owns the Treasury, or how many owners decide.",
  liftsStop: "It lets somebody spend again who was stopped.",
  trustsCollector: "It lets another contract take the Treasury's money.",
  paysUnapproved:
    "It lets an agent's larger payments be made without any owner's approval: whoever minds must reject each in time.",
  allowsCalls:
    "It lets an agent call another contract in the Treasury's name. Look up in the contract what the function does.",
  movesEverything: "It moves all that the Treasury holds.",
  blankSignature: "It signs a hash in the Treasury's name, and what the hash stands for is not shown.",
  otherTreasury: "It acts on another Treasury than the one that it is proposed in.",
};

/** The same with what the call itself says of it. */
export function warningOf(code: Call["warnings"][number], call: Pick<Call, "decoded">): string {
  const missing = code === "missingLimit" ? missingLimits(call) : [];
  if (missing.length === 0) return warningWords[code];
  return `The budget has ${listWords(missing.map((limit) => `no ${limitNames[limit]}`))}.`;
}

export const limitNames: Readonly<Record<BudgetLimit, string>> = {
  hourly: "hourly limit",
  daily: "daily limit",
  weekly: "weekly limit",
  monthly: "monthly limit",
  perTransaction: "limit for one payment",
  approvalAbove: "amount above which owners must approve",
};

/** An owner in a sentence; a name that it chose for itself never stands alone. */
export const ownerInWords = (owner: string, name: string | undefined): string =>
  name === undefined
    ? shortHex(owner)
    : isSelfChosen(name)
      ? `${name} (${shortHex(owner)}, self-chosen name)`
      : name;

/** The head of a call's raw bytes. */
export const rawCallWords = ({ decoded }: Pick<Call, "decoded">): string =>
  decoded ? `Raw call data of ${decoded.function}` : "Raw call data (the contract is not known here)";

export const simulationWords = {
  loading: "Simulating the proposal",
  at: (block: string) => `at block ${block}`,
  fails: "Executed now, it would fail and change nothing",
  noReason: "The contract gave no reason.",
  movesNothing: "It would succeed and move no token and none of the chain's coin.",
  changes: "Balance changes if executed now",
  /** A newer answer was asked for, and none came. */
  old: {
    badge: "Not known now",
    title: "It could not be simulated again",
    text: "What stands here is of the block above: it may be otherwise by now.",
  },
  incomplete: {
    title: "Not everything that would move is known",
    text: "The node does not tell what calls do inside. Only what can be read from the calls themselves is listed.",
  },
} as const;

export const signerWords = {
  count: (signed: number, threshold: number) => `${signed} of ${threshold}`,
  signed: "Signed",
  approved: "Approved on the chain",
  /** Sending the execution was the consent. */
  executed: "Approved by executing",
  leftOwners: ", no longer an owner",
  /** Of an owner whose approval is missing. */
  missing: (isAwaited: boolean) => (isAwaited ? "Has not signed yet" : "Did not sign"),
} as const;

export const decisionWords = {
  title: "Your decision",
  connect: "Connect an owner's wallet",
  wrongChain: (chainId: number | undefined) =>
    chainId === undefined ? "Your wallet is on no known chain" : `Your wallet is on ${chainName(chainId)}`,
  rightChain: (chainId: number) => `This Treasury is on ${chainName(chainId)}.`,
  switchChain: "Switch network",
  noOwner: "The connected account is not an owner of this Treasury: it can look, but not sign.",
  sign: "Review and sign",
  execute: "Execute",
  approveAndExecute: "Approve and execute in one transaction",
  relay: "Let the service execute it",
  noGas: "This account has nothing to pay gas with, so the service offers to pay for it.",
  underWay: "Your transaction is under way; what it brings about is decided when it is in a block.",
} as const;
