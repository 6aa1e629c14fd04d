import { BursarError } from "#offchain/core/error.ts";
import type { Address } from "./ticket.ts";

/** A group that owns sources and works on their power. */
export interface Society {
  id: string;
  /** Who may charge, allocate and judge its work, besides the operator. */
  owner: Address | null;
  createdAt: number;
}

/** Opens the society if it is new, and gives it ADP: its capacity to be charged, not money. */
export interface AdpIssue {
  key: string;
  society: string;
  owner: Address | null;
  /** µADP. */
  amount: bigint;
}

/** @throws BursarError FORBIDDEN when the issue names another owner. */
export function requireSameOwner(society: Society, issue: AdpIssue): void {
  if (!issue.owner || issue.owner === society.owner) return;
  throw new BursarError("FORBIDDEN", "the society has another owner", {
    facts: { society: society.id, owner: society.owner, got: issue.owner },
  });
}

/** @throws BursarError IDEMPOTENCY_CONFLICT when the key was used for another issue. */
export function requireSameIssue(before: Pick<AdpIssue, "amount" | "owner"> | null, issue: AdpIssue): void {
  if (before?.amount !== issue.amount || before.owner !== issue.owner)
    throw keyReused(issue.society, issue.key);
}

export const unknownSociety = (id: string): BursarError =>
  new BursarError("SOCIETY_UNKNOWN", `no energy society ${id}`, { facts: { society: id } });

export const keyReused = (society: string, key: string): BursarError =>
  new BursarError("IDEMPOTENCY_CONFLICT", "this key was used for another request; choose a new one", {
    facts: { society, key },
  });
