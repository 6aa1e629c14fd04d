import { explain, type Failure, reasonWords, sentence } from "@/lib/failure.ts";
import { listWords, plural, shortHex } from "@/lib/format.ts";
import type { Comparison, Difference } from "../reading/comparison.ts";
import { warningWords } from "../words.ts";
import type { Action, Progress, Stop } from "./progress.ts";

/** What the pages say of signatures and transactions, and before them. */

/** Why nothing more is asked for. */
const stopWords: Readonly<Record<Stop, string>> = {
  closed: "Stopped here",
  executed: "Stopped: it was executed meanwhile",
  superseded: "Stopped: another proposal of its nonce was executed meanwhile",
  rejected: "Stopped: it was rejected meanwhile",
  expired: "Stopped: its time is up",
  outdated: "Stopped: another number of owners decides meanwhile",
  lost: "Stopped: the chain was restarted meanwhile",
  takenBack: "Stopped: the chain took its opening back meanwhile",
  network: "Stopped: your wallet changed network",
  account: "Stopped: your wallet is no longer connected",
};

/** What to do about a request that the page has made and cannot take back. */
function stopText({ why, isAsked }: Extract<Progress, { at: "stopped" }>): string {
  if (!isAsked) return "Nothing was sent.";
  return why === "closed"
    ? "The request in your wallet is still open; decline it there."
    : "Decline the request in your wallet.";
}

const checks: Readonly<Record<Action, string>> = {
  signature: "Checking what you would sign…",
  execution: "Checking that it would succeed…",
  rejection: "Checking what would be rejected…",
};

/** Where a signature or transaction stands, for whoever listens to the page. */
export function progressWords(progress: Progress, what: Action): string {
  switch (progress.at) {
    case "idle":
      return "";
    case "checking":
      return checks[what];
    case "wallet":
      return `Waiting for your wallet to confirm the ${what}`;
    case "stopped":
      return `${stopWords[progress.why]}. ${stopText(progress)}`;
    case "service":
      return `Sending the ${what} to the service`;
    case "submitted":
      return `The ${what} was sent and is in no block yet`;
    case "done":
      return `The ${what} is done`;
    case "undone":
      return undoneWords.title;
    case "failed":
      return progress.isAnswered
        ? progressNotices.notSoFar(what).title
        : failedWords(explain(progress.error), what);
  }
}

function failedWords({ kind, isUnsure }: Failure, what: Action): string {
  if (kind === "declined") return `You declined the ${what} in your wallet`;
  return isUnsure ? `We do not know whether the ${what} arrived` : `The ${what} failed`;
}

const undoneWords = {
  title: "The chain was reorganised: your transaction is no longer in a block",
  text: "It may come back, or you send it again.",
};

/** The same for whoever looks at it. */
export const progressNotices = {
  checking: (what: Action) => ({ title: checks[what] }),
  wallet: {
    title: "Waiting for your wallet",
    text: "Confirm in your wallet. Its window may have opened behind this one.",
  },
  stopped: (stopped: Extract<Progress, { at: "stopped" }>) => ({
    title: stopWords[stopped.why],
    text: stopText(stopped),
  }),
  service: {
    title: "Sending it to the service",
    text: "The service checks it and answers when it is done.",
  },
  submitted: {
    title: "Sent, but in no block yet",
    text: (what: Action) => `It can still be ${carriedOut[what]}: do not send it again.`,
  },
  done: {
    signature: "Signed. Your signature is with the service.",
    execution: "Executed: the transaction is in a block.",
    rejection: "Rejected on the chain.",
  },
  undone: undoneWords,
  /** Nobody has said whether it arrived. */
  unsure: (what: Action) =>
    `We do not know whether it arrived. Wait until the service answers; this page then says whether it was ${carriedOut[what]}.`,
  /** The same when the service has answered since. */
  notSoFar: (what: Action) => ({
    title: `Not ${carriedOut[what]} so far`,
    text: `The service has answered since. If your request arrived, it can still be ${carriedOut[what]}.`,
  }),
} as const;

const carriedOut: Readonly<Record<Action, string>> = {
  signature: "signed",
  execution: "executed",
  rejection: "rejected",
};

/** What stands against a decision, above its button. */
export const riskWords = {
  title: "Look closely before you decide",
  paused: () =>
    "The Treasury is paused. What an agent asked it to pay cannot be executed until the pause is lifted; any other proposal takes effect all the same.",
  frozen: (agent: string) =>
    `The agent ${shortHex(agent)} is frozen. What it asked the Treasury to pay cannot be executed until the owners unfreeze it; any other proposal takes effect for it all the same.`,
  frozenPayee: (agent: string) =>
    `The recipient ${shortHex(agent)} is frozen. A proposal that is executed pays it all the same.`,
  removed: (agent: string) =>
    `The budget of the agent ${shortHex(agent)} was taken away. A proposal that is executed takes effect for it all the same.`,
  denied: (recipient: string) =>
    `The recipient ${shortHex(recipient)} may not be paid from the agent's budget: an owner has denied it, or it is not on the list. A proposal that is executed pays it all the same.`,
  fails: (reason: string) => `Executed now, it would fail${reason && `: ${reasonWords(reason)}`}.`,
} as const;

/** Where what stands against a decision could not be read. */
export const unreadWords = {
  title: "Not all that you should know could be read",
  stops:
    "We could not read from the chain whether the Treasury is paused, or whether somebody whom this is about is frozen, has lost the budget, or is not on its list of recipients. An owner may have stopped it.",
  denials: "We could not read from the chain whether an owner has denied the recipient.",
  simulation: "We could not simulate it: whether it would fail now, and what it would move, is not known.",
  confirm: "I decide without knowing it",
  asking: "Asking whether an owner has stopped something…",
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
export function checkedWords({ read, unread, tokens, treasuries }: Comparison): {
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
  { kind, detail, isUnsure }: Pick<Failure, "kind" | "detail" | "isUnsure">,
): string {
  if (signed === 0) return detail;
  const which = ordinals[signed] ? `the ${ordinals[signed]}` : `number ${signed + 1}`;
  const soFar = `${signed} of ${total} signed and sent`;
  const stay = "Signatures that were sent stay.";
  if (isUnsure) return `${soFar}; we do not know whether ${which} arrived. ${stay} ${detail}`;
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
  wouldFail: (reason: string | null) =>
    `${reason === null ? "The contract gave no reason" : sentence(reasonWords(reason))}.`,
  replaced: (hash: string) => `${hash} never got into a block: another one of this account took its place.`,
  reverted: (hash: string) => `Transaction ${hash} was mined but reverted.`,
} as const;
