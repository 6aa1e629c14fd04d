import { listWords, plural } from "@/lib/format.ts";
import type { Proposal, ProposalState } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import type { Tone } from "@/ui/Badge.tsx";

/** What a proposal is to the person who looks at it. */
export interface Standing {
  isOpen: boolean;
  /** The viewer owns the Treasury. */
  isOwner: boolean;
  hasSigned: boolean;
  signed: number;
  /** Consents that are still needed. */
  needed: number;
  canSign: boolean;
  /** Enough have consented. */
  canExecute: boolean;
  /** The viewer's own consent is the last one: sending the transaction gives it. */
  canFinish: boolean;
  canCancel: boolean;
  /** Waits for this viewer and nobody else can help. */
  isMine: boolean;
}

/** Decides what a viewer may do with a proposal now. */
export function standing(proposal: Proposal, viewer: string | undefined, now: number): Standing {
  const counting = proposal.approvals.filter(({ counts }) => counts);
  const hasSigned = counting.some(({ owner }) => isSameAddress(viewer, owner));
  const isMissing = proposal.missing.some((owner) => isSameAddress(viewer, owner));
  const isOpen = (proposal.state === "open" || proposal.state === "ready") && proposal.deadline > now;
  const needed = Math.max(0, proposal.threshold - counting.length);
  const isOwner = hasSigned || isMissing;
  return {
    isOpen,
    isOwner,
    hasSigned,
    signed: counting.length,
    needed,
    canSign: isOpen && isMissing && needed > 0,
    canExecute: isOpen && needed === 0,
    canFinish: isOpen && isMissing && needed === 1,
    canCancel: isOpen && isOwner,
    isMine: isOpen && ((isMissing && needed > 0) || (isOwner && needed === 0)),
  };
}

/** The state in one word and its tone. A proposal past its deadline has expired whatever the service said last. */
export function stateBadge(
  proposal: Pick<Proposal, "state" | "deadline">,
  now: number,
): { word: string; tone: Tone } {
  const isLate = (proposal.state === "open" || proposal.state === "ready") && proposal.deadline <= now;
  return badges[isLate ? "expired" : proposal.state];
}

const badges: Readonly<Record<ProposalState, { word: string; tone: Tone }>> = {
  open: { word: "Needs signatures", tone: "warn" },
  ready: { word: "Ready to execute", tone: "info" },
  executed: { word: "Executed", tone: "good" },
  cancelled: { word: "Rejected", tone: "neutral" },
  expired: { word: "Expired", tone: "neutral" },
  lost: { word: "Lost in a reorganisation", tone: "bad" },
};

/** What has to happen next, as one sentence. */
export function nextStep(
  proposal: Proposal,
  viewer: string | undefined,
  now: number,
  nameOf: (owner: string) => string,
): string {
  const { isOpen, needed, canSign, canFinish } = standing(proposal, viewer, now);
  if (proposal.state === "executed") return "It was executed; the money has moved.";
  if (proposal.state === "cancelled") return "An owner rejected it on the chain; it can never execute.";
  if (proposal.state === "lost") return "The chain dropped the block that opened it.";
  if (!isOpen) return "Its time ran out; it can never execute.";
  if (needed === 0) return "Enough owners have signed. Anyone may execute it now.";
  if (canFinish) return "Yours is the last signature it needs.";
  if (canSign) return `Your signature is missing; ${plural(needed, "more is", "more are")} needed.`;
  const others = proposal.missing.map(nameOf);
  return needed === others.length
    ? `${listWords(others)} must still sign.`
    : `${plural(needed, "more signature")} needed, of ${listWords(others)}.`;
}

/** The queue: what waits for the viewer first, then by deadline. */
export function queueOrder(
  proposals: readonly Proposal[],
  viewer: string | undefined,
  now: number,
): Proposal[] {
  const rank = (proposal: Proposal) => (standing(proposal, viewer, now).isMine ? 0 : 1);
  return [...proposals].sort((one, other) => rank(one) - rank(other) || one.deadline - other.deadline);
}

export type QueueFilter = "waiting" | "executed" | "closed" | "all";

export const queueFilters: readonly { value: QueueFilter; label: string }[] = [
  { value: "waiting", label: "Waiting" },
  { value: "executed", label: "Executed" },
  { value: "closed", label: "Closed" },
  { value: "all", label: "All" },
];

export function isInFilter(
  { state, deadline }: Pick<Proposal, "state" | "deadline">,
  filter: QueueFilter,
  now: number,
): boolean {
  const isWaiting = (state === "open" || state === "ready") && deadline > now;
  if (filter === "waiting") return isWaiting;
  if (filter === "executed") return state === "executed";
  return filter === "all" || (!isWaiting && state !== "executed");
}

/** Where a signature or transaction stands. */
export type Progress =
  | { at: "idle" }
  | { at: "wallet" }
  | { at: "service" }
  | { at: "submitted"; hash: string }
  | { at: "done"; hash: string | null }
  | { at: "failed"; error: unknown };

/** The same for ears. */
export function progressWords(progress: Progress, what: string): string {
  switch (progress.at) {
    case "idle":
      return "";
    case "wallet":
      return `Waiting for your wallet to confirm the ${what}`;
    case "service":
      return `The ${what} is on its way to the service`;
    case "submitted":
      return `The ${what} was sent; waiting for a block`;
    case "done":
      return `The ${what} is done`;
    case "failed":
      return `The ${what} failed`;
  }
}
