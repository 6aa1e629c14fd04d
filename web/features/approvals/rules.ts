import { isCancellable } from "#offchain/features/treasury/messages.ts";
import { noLimit } from "#offchain/features/treasury/rules.ts";
import type { Budget, Call, Proposal } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";

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
  /** Nobody follows it any more, and it can be executed all the same. */
  isLoose: boolean;
  /** Waits for this viewer and nobody else can help. */
  isMine: boolean;
}

/** Decides what a viewer may do with a proposal now. */
export function standing(proposal: Proposal, viewer: string | undefined, now: number): Standing {
  const counting = proposal.approvals.filter(({ counts }) => counts);
  const hasSigned = counting.some(({ owner }) => isSameAddress(viewer, owner));
  const isMissing = proposal.missing.some((owner) => isSameAddress(viewer, owner));
  const isOpen = (proposal.state === "open" || proposal.state === "ready") && proposal.deadline > now;
  const isLoose = proposal.unfollowed && proposal.deadline > now;
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
    canCancel: (isOpen || isLoose) && isOwner && isCancellable(BigInt(proposal.nonce)),
    isLoose,
    isMine: isOpen && ((isMissing && needed > 0) || (isOwner && needed === 0)),
  };
}

/**
 * The owner whose consent was the executing transaction itself: nobody has stored it. Null if there is none, or if
 * the transaction does not say.
 */
export function approvedByExecuting(
  { state, treasury, approvals, missing, threshold }: Proposal,
  transaction: { from: string; to: string | null } | undefined,
): string | null {
  const stored = approvals.filter(({ counts }) => counts).length;
  // By way of another contract the sender would not have been the one whom the Treasury saw.
  if (
    state !== "executed" ||
    stored !== threshold - 1 ||
    !isSameAddress(treasury, transaction?.to ?? undefined)
  )
    return null;
  return missing.find((owner) => isSameAddress(owner, transaction?.from)) ?? null;
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

/** Whether what it did was done on a chain that is gone. A reorganisation ends no chain. */
export const isOnGoneChain = (
  {
    unfollowed,
    takenBack,
    openedAt,
    executedAt,
  }: Pick<Proposal, "unfollowed" | "takenBack" | "openedAt" | "executedAt">,
  isOfEarlierRun: (at: number) => boolean,
): boolean => (unfollowed && !takenBack) || isOfEarlierRun(executedAt ?? openedAt);

export type QueueFilter = "waiting" | "executed" | "closed" | "all";

export const budgetLimits = [
  "hourly",
  "daily",
  "weekly",
  "monthly",
  "perTransaction",
  "approvalAbove",
] as const;
export type BudgetLimit = (typeof budgetLimits)[number];

/** What a call says by an argument's name, as the service writes it; undefined where it has none of it. */
export const argumentOf = ({ decoded }: Pick<Call, "decoded">, wanted: string): string | undefined =>
  decoded?.args.find(({ name }) => name === wanted)?.value;

/** A spender's budget in a token, if it is among them. */
export const budgetAmong = <One extends Pick<Budget, "spender" | "token">>(
  budgets: readonly One[],
  wanted: { spender: string | undefined; token: string | undefined },
): One | undefined =>
  budgets.find(
    ({ spender, token }) => isSameAddress(spender, wanted.spender) && isSameAddress(token, wanted.token),
  );

/** The limits that a call leaves out of the budget that it sets; none if its terms cannot be read. */
export function missingLimits(call: Pick<Call, "decoded">): BudgetLimit[] {
  try {
    const terms = JSON.parse(argumentOf(call, "terms") ?? "{}") as Record<string, unknown>;
    return budgetLimits.filter((limit) => String(terms[limit]) === String(noLimit));
  } catch {
    return [];
  }
}

/** What the service is asked for, for each filter; none: all. A deadline that passes meanwhile is seen by the page itself. */
export const statesOf: Readonly<Record<QueueFilter, readonly Proposal["state"][]>> = {
  waiting: ["open", "ready"],
  executed: ["executed"],
  closed: ["superseded", "cancelled", "expired", "outdated", "lost"],
  all: [],
};

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
