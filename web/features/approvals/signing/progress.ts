import { explain } from "@/lib/failure.ts";
import type { Proposal } from "@/lib/model.ts";
import { standing } from "../rules.ts";

/** What an owner does about a proposal. */
export type Action = "signature" | "execution" | "rejection";

/** Why nothing more is asked for: the dialog was closed, the proposal, or the wallet. */
export type Stop =
  | "closed"
  | "executed"
  | "superseded"
  | "rejected"
  | "expired"
  | "outdated"
  | "lost"
  | "takenBack"
  | "network"
  | "account";

/** Where a signature or transaction stands. */
export type Progress =
  | { at: "idle" }
  /** The page itself looks; the wallet is not asked yet. */
  | { at: "checking" }
  | { at: "wallet" }
  /** `isAsked`: the wallet has yet to answer what it was asked. */
  | { at: "stopped"; why: Stop; isAsked: boolean }
  | { at: "service" }
  | { at: "submitted"; hash: `0x${string}` }
  /** `isTold`: the service has said the same since. */
  | { at: "done"; hash: string | null; isTold?: boolean }
  /** It was in a block, and no more. `isStale`: the service has yet to hear of that. */
  | { at: "undone"; hash: string; isStale: boolean }
  /** `since`: epoch ms. `isAnswered`: nobody knew whether it arrived, and the service has answered since. */
  | { at: "failed"; error: unknown; since: number; isAnswered?: boolean };

/** What the service says, by which an open question may be answered. */
export interface Answer {
  proposal: Proposal;
  /** When it said so, epoch ms. */
  at: number;
  /** The viewer's consent is among those that it has. */
  hasSigned: boolean;
  /** It speaks of a chain that is gone. */
  isGone: boolean;
}

const idle: Progress = { at: "idle" };

/** One of a chain that is gone can still be executed, or rejected, on the new one. */
const isOpenState = ({ state, unfollowed }: Pick<Proposal, "state" | "unfollowed">): boolean =>
  unfollowed || state === "open" || state === "ready";

/** How a proposal has ended when an action has done what it is for. */
const ends: Readonly<Record<Exclude<Action, "signature">, Proposal["state"]>> = {
  execution: "executed",
  rejection: "cancelled",
};

/** What becomes of where it stood, now that the service has said how the proposal stands. */
export function heard(progress: Progress, what: Action, answer: Answer): Progress {
  if (progress.at === "failed") return failureHeard(progress, what, answer);
  if (what === "signature") return progress;
  const { proposal, isGone } = answer;
  const isOpen = isOpenState(proposal);
  const hasEnded = proposal.state === ends[what] && !isGone;
  switch (progress.at) {
    case "submitted":
      if (isOpen) return progress;
      return hasEnded && proposal.transactionHash === progress.hash
        ? { at: "done", hash: progress.hash, isTold: true }
        : idle;
    case "done":
      if (isOpen)
        return progress.isTold && progress.hash !== null
          ? { at: "undone", hash: progress.hash, isStale: false }
          : progress;
      if (!hasEnded) return idle;
      return progress.isTold ? progress : { ...progress, isTold: true };
    case "undone":
      if (isOpen) return progress.isStale ? { ...progress, isStale: false } : progress;
      if (!hasEnded || proposal.transactionHash !== progress.hash) return idle;
      return progress.isStale ? progress : { at: "done", hash: progress.hash, isTold: true };
    default:
      return progress;
  }
}

function failureHeard(
  progress: Extract<Progress, { at: "failed" }>,
  what: Action,
  { proposal, at, hasSigned }: Answer,
): Progress {
  if (!explain(progress.error).isUnsure) return progress;
  if (what === "signature" && hasSigned) return { at: "done", hash: null };
  if (!isOpenState(proposal)) return idle;
  return progress.isAnswered || at <= progress.since ? progress : { ...progress, isAnswered: true };
}

/**
 * The proposal as one's own transactions have left it: the chain is asked for them, and the service hears of blocks
 * later. What has ended by one is not open, and what has ended by one that is in no block any more is not ended.
 */
export function asLeft(proposal: Proposal, execution: Progress, rejection: Progress): Proposal {
  const isOpen = isOpenState(proposal);
  for (const [what, progress] of [["execution", execution] as const, ["rejection", rejection] as const]) {
    if (progress.at === "done" && isOpen)
      return {
        ...proposal,
        state: ends[what],
        unfollowed: false,
        transactionHash: progress.hash as Proposal["transactionHash"],
      };
    if (progress.at === "undone" && progress.isStale && proposal.transactionHash === progress.hash) {
      const { signed } = standing(proposal, undefined, 0);
      const state = signed >= proposal.threshold ? "ready" : "open";
      return { ...proposal, state, transactionHash: null, executedAt: null };
    }
  }
  return proposal;
}

/**
 * Why a proposal cannot be signed, executed or rejected any more; null if it can. One of a chain that is gone can still be
 * rejected on the new one, since it can be executed there.
 */
export function endOf(
  {
    state,
    deadline,
    unfollowed,
    takenBack,
  }: Pick<Proposal, "state" | "deadline" | "unfollowed" | "takenBack">,
  now: number,
  what: Action,
): Stop | null {
  if (unfollowed && what === "rejection") return deadline <= now ? "expired" : null;
  if (state === "lost") return takenBack ? "takenBack" : state;
  if (state === "executed" || state === "superseded" || state === "outdated") return state;
  if (state === "cancelled") return "rejected";
  return state === "expired" || deadline <= now ? "expired" : null;
}
