import { chainName } from "@/lib/config.ts";
import type { Failure } from "@/lib/failure.ts";
import { listWords, plural, shortHex } from "@/lib/format.ts";
import { goneBadge } from "@/lib/live/earlierRun.ts";
import type { Call, Proposal, ProposalState } from "@/lib/model.ts";
import { isSelfChosen, quoted } from "@/lib/names.ts";
import { absoluteText, lastWrittenMoment } from "@/lib/time.ts";
import type { Tone } from "@/ui/Badge.tsx";
import type { Difference, Reading } from "./reading/reading.ts";
import { type BudgetLimit, missingLimits, type Progress, type QueueFilter, standing } from "./rules.ts";

/** What the pages about proposals say. */

const badges: Readonly<Record<ProposalState, { word: string; tone: Tone }>> = {
  open: { word: "Needs signatures", tone: "warn" },
  ready: { word: "Ready to execute", tone: "info" },
  executed: { word: "Executed", tone: "good" },
  cancelled: { word: "Rejected", tone: "neutral" },
  expired: { word: "Expired", tone: "neutral" },
  lost: { word: "Not followed: the chain was restarted", tone: "bad" },
};

const rejectedElsewhere = { word: "Rejected on a chain that is gone", tone: "bad" } as const;

/** The state in one word and its tone. A proposal past its deadline has expired whatever the service said last. */
export function stateBadge(
  proposal: Pick<Proposal, "state" | "deadline" | "unfollowed">,
  now: number,
  isGone: boolean,
): { word: string; tone: Tone } {
  if (proposal.state === "cancelled" && proposal.unfollowed) return rejectedElsewhere;
  if (isGone && proposal.state === "executed") return goneBadge;
  const isLate = (proposal.state === "open" || proposal.state === "ready") && proposal.deadline <= now;
  return badges[isLate ? "expired" : proposal.state];
}

/** What became of a proposal on a chain that was restarted since. */
const beforeRestart: Readonly<Partial<Record<ProposalState, string>> & { lost: string }> = {
  executed: "It was executed on a chain that is gone; what it moved there is written off.",
  cancelled: "An owner rejected it on a chain that is gone, which counts for nothing on the new one.",
  lost: "It was opened on a chain that is gone, and is not followed on the new one.",
};

/** The restarted chain has the same id, and the same Treasury at the same address: EIP-712 signatures are as good there. */
function onNewChain({ deadline }: Pick<Proposal, "deadline">, now: number): string {
  if (deadline <= now) return "It has expired, so nobody can execute it on the new one.";
  const signed = "Its signatures are valid on the new one too";
  return `${signed}: whoever has enough of them can execute it ${proposalWords.until(deadline)}, unless an owner rejects it there.`;
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
  if (proposal.unfollowed || (proposal.state === "executed" && isGone))
    return `${beforeRestart[proposal.state] ?? beforeRestart.lost} ${onNewChain(proposal, now)}`;
  if (proposal.state === "executed") return "It has been executed on the chain.";
  if (proposal.state === "cancelled") return "An owner rejected it on the chain; it can never be executed.";
  if (!isOpen) return "It has expired; it can never be executed.";
  if (needed === 0) return "Enough owners have signed. Anyone may execute it now.";
  if (canFinish) return "Yours is the last signature it needs.";
  if (canSign)
    return `You have not signed; ${plural(needed, "signature is", "signatures are")} still needed.`;
  const others = proposal.missing.map(nameOf);
  return needed === others.length
    ? `${listWords(others)} must still sign.`
    : `${plural(needed, "signature is", "signatures are")} still needed, from ${listWords(others, "or")}.`;
}

const stillAsked = "The request in your wallet is still open; decline it there.";

/** Where a signature or transaction stands, for whoever listens to the page. */
export function progressWords(progress: Progress, what: string): string {
  switch (progress.at) {
    case "idle":
      return "";
    case "wallet":
      return `Waiting for your wallet to confirm the ${what}`;
    case "stopped":
      return `The ${what} is stopped. ${stillAsked}`;
    case "service":
      return `Sending the ${what} to the service`;
    case "submitted":
      return `The ${what} was sent; waiting for a block`;
    case "done":
      return `The ${what} is done`;
    case "failed":
      return `The ${what} failed`;
  }
}

/** The same for whoever looks at it. */
export const progressNotices = {
  wallet: {
    title: "Waiting for your wallet",
    text: "Confirm in your wallet. Its window may have opened behind this one.",
  },
  stopped: { title: "Stopped here", text: stillAsked },
  service: {
    title: "Sending it to the service",
    text: "The service checks it and answers when it is done.",
  },
  submitted: { title: "Sent, waiting for a block" },
} as const;

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
    text: "Such proposals stay here for the record, and those that were open when the chain was restarted.",
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
  nonce: "Nonce (unordered: blocks no other proposal)",
} as const;

export const callWords = {
  target: "Calls",
  coin: (unit: string) => `${unit} sent`,
  noCoin: "none",
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
  blankSignature: "It signs a hash in the Treasury's name, and what the hash stands for is not shown.",
  otherTreasury: "It acts on another Treasury than the one that it is proposed in.",
};

/** The same with what the call itself says of it. */
export function warningOf(code: Call["warnings"][number], call: Pick<Call, "decoded">): string {
  const missing = code === "missingLimit" ? missingLimits(call) : [];
  if (missing.length === 0) return warningWords[code];
  return `The budget has ${listWords(missing.map((limit) => `no ${limitNames[limit]}`))}.`;
}

const limitNames: Readonly<Record<BudgetLimit, string>> = {
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
  executed: "Executed: the transaction is in a block.",
} as const;

/** What stands against a decision, above its button. */
export const riskWords = {
  title: "Look closely before you decide",
  paused: () => "The Treasury is paused. A proposal that is executed takes effect all the same.",
  frozen: (agent: string) =>
    `The agent ${shortHex(agent)} is frozen. A proposal that is executed takes effect for it all the same.`,
  frozenPayee: (agent: string) =>
    `The recipient ${shortHex(agent)} is frozen. A proposal that is executed pays it all the same.`,
  fails: (reason: string) => `Executed now, it would fail${reason && `: ${reason}`}.`,
} as const;

export const rejectionWords = {
  ask: "Reject this proposal?",
  meaning:
    "One owner is enough to reject a proposal, and it is final: its nonce is used up on the chain, whoever has signed, and every proposal of that nonce ends with it. Your wallet sends cancelProposal with the nonce to the Treasury, and pays the gas.",
  nonce: "Nonce that is used up",
  asking: "Asking the chain which other proposals have this nonce…",
  alone: "No other proposal was opened on the chain with this nonce.",
  others: (others: number) =>
    `${plural(others, "other proposal that was opened with this nonce ends", "other proposals that were opened with this nonce end")} with it:`,
  unknown:
    "The chain did not say which proposals were opened with this nonce: whichever has it ends with this one.",
  keep: "Keep it",
  reject: "Reject on the chain",
  done: "Rejected on the chain.",
} as const;

export const signWords = {
  title: "Sign the proposal",
  steps: ["Review", "Compare", "Confirm"],
  /** Of each step, and of its end. */
  headings: ["Review what you sign", "Compare the hashes", "Confirm in your wallet", "Signed"],
  validity: "Valid for one execution.",
  next: "Continue to compare",
  agree: "The hashes agree",
  meaning:
    "Your wallet will ask for a signature. Signing costs no gas and moves no money by itself: money moves when enough owners have signed and someone executes the proposal.",
  sign: "Sign in wallet",
  done: "Signed. Your signature is with the service.",
} as const;

/** Of the step in which the page's hash and the wallet's are compared. */
export const compareWords = {
  loading: "Asking for the Treasury's address…",
  reading: "Reading the signed data and asking the chain for the tokens' units…",
  checked: "Checked by this page:",
  unchecked: "Not checked, so compare it yourself:",
  equal: {
    title: "The data that you sign say what you have read",
    text: "Compare the hash with what your wallet shows. If a single character differs, reject the request in your wallet.",
  },
  /** Not all of it could be read. */
  partly: "Only part of the data that you sign could be checked",
  different: {
    title: "Do not sign: the content does not hash to the proposal's id",
    text: "The service shows one thing and asks you to sign another. Ask its operator.",
  },
  lying: "Do not sign: the data do not say what the service says of them",
} as const;

/** What exactly this page checked of a proposal, and what it did not. */
export function checkedWords({ read, unread, tokens, treasuries }: Reading): {
  checked: string[];
  unchecked: string[];
} {
  const calls = (numbers: readonly number[]) =>
    read.length + unread.length === 1
      ? "the call"
      : `${plural(numbers.length, "call")} (${listWords(numbers.map(String))})`;
  const checked = [
    "This page computed the hash itself, and it equals the proposal's id.",
    "Treasury, deadline, and the target and the coin of every call are those of the signed data.",
  ];
  if (read.length > 0)
    checked.push(
      `It decoded ${calls(read)} itself: function, token, amounts and recipients are those of the sentence.`,
      "Of the warnings that follow from what it decoded, none is left out.",
    );
  const unchecked = [
    "Names: who stands behind an address, and what a contract is called, is the service's word.",
    "Warnings that the data alone do not call for: which contracts and tokens Bursar knows is the service's word.",
    ...tokens.map((token) => `Whether ${token} is the token that it calls itself: know its address.`),
    ...treasuries.map((address) => `Whether ${address} is a Treasury: know its address.`),
  ];
  if (unread.length > 0)
    unchecked.unshift(
      `What ${calls(unread)} would do: this page cannot read the data.`,
      "Of such a call, the names of function and arguments are the service's word; the values too, where one of them is a tuple.",
    );
  return { checked, unchecked };
}

/** What the service says against what the signed data say. */
export function differenceWords(difference: Difference): string {
  const what = difference.call === 0 ? "The proposal" : `Call ${difference.call}`;
  return "lacks" in difference
    ? `${what}: the service leaves out a warning that the signed data call for: “${warningWords[difference.lacks]}”`
    : `${what}: the service says “${difference.said}”; the signed data say “${difference.is}”.`;
}

export const batchSignWords = {
  title: (proposals: number) => `Sign ${plural(proposals, "proposal")}`,
  meaning:
    "Your wallet asks for one signature for each. No proposal moves money before enough owners have signed it and someone executes it.",
  signing: (number: number, total: number) => `Signing ${number} of ${total}`,
} as const;

const ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];

/** How far signing several came before it stopped: what was sent before is not undone by what came after. */
export function batchStopWords(
  signed: number,
  total: number,
  { kind, detail }: Pick<Failure, "kind" | "detail">,
): string {
  if (signed === 0) return detail;
  const which = ordinals[signed] ? `the ${ordinals[signed]}` : `number ${signed + 1}`;
  const soFar = `${signed} of ${total} signed and sent`;
  const stay = "Signatures that were sent stay.";
  return kind === "declined"
    ? `${soFar}; you declined ${which}. ${stay}`
    : `${soFar}; ${which} failed. ${stay} ${detail}`;
}

/** What stops a signature or transaction before it is sent. */
export const refusals = {
  noWallet: "Connect an owner's wallet first.",
  noTreasury: "The Treasury's address is not known yet.",
  hashMismatch: (got: string, wanted: string) =>
    `The proposal's content hashes to ${got}, but its id is ${wanted}. Do not sign or execute it; ask the operator.`,
  /** Of a rejection. */
  rejectsOther: (got: string, wanted: string, nonce: string) =>
    `What is shown hashes to ${got}, but its id is ${wanted}: nonce ${nonce} may be another proposal's, which would end instead.`,
  neverOpened: (nonce: string, opened: readonly string[]) =>
    `On the chain, nonce ${nonce} was opened for ${listWords(opened)} and never for this proposal: that would end instead.`,
  differs: (differences: readonly Difference[]) => differences.map(differenceWords).join(" "),
  wouldFail: (reason: string | null) => `${reason ?? "The contract gave no reason"}.`,
  reverted: (hash: string) => `Transaction ${hash} was mined but reverted.`,
} as const;
