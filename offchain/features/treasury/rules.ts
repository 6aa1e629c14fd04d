import { momentOf } from "#offchain/core/clock.ts";

/** What a proposal's state follows from, beside the clock. */
export interface ProposalFacts {
  /** As the chain's events tell it. */
  readonly state: "open" | "executed" | "cancelled" | "lost";
  /** The last second in which it may be executed, since the epoch. */
  readonly deadlineS: bigint;
  readonly approvals: readonly { readonly owner: string }[];
}

export interface Membership {
  readonly owners: readonly `0x${string}`[];
  /** How many owners decide together. */
  readonly threshold: number;
}

/** Only the approvals of those who are owners now count: who has left decides nothing any more. */
export const countingApprovals = <Approval extends { readonly owner: string }>(
  approvals: readonly Approval[],
  owners: readonly string[],
): Approval[] => approvals.filter(({ owner }) => owners.includes(owner));

/** Whether owners may still approve. */
export const isApprovable = ({ state, deadlineS }: ProposalFacts, now: number): boolean =>
  state === "open" && now <= momentOf(deadlineS);

/** `ready`: enough owners have approved. `expired`: nobody executed it in time. */
export function stateOf(
  proposal: ProposalFacts,
  { owners, threshold }: Membership,
  now: number,
): ProposalFacts["state"] | "ready" | "expired" {
  if (proposal.state !== "open") return proposal.state;
  if (now > momentOf(proposal.deadlineS)) return "expired";
  return countingApprovals(proposal.approvals, owners).length >= threshold ? "ready" : "open";
}
