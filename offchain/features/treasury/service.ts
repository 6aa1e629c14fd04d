import type { z } from "zod";
import type {
  budget,
  followedTreasury,
  proposal,
  signedSpend,
  simulation,
  spendOutcome,
  treasury,
} from "./schema.ts";

export type TreasuryView = z.input<typeof treasury>;
export type BudgetView = z.input<typeof budget>;
export type ProposalView = z.input<typeof proposal>;
export type SimulationView = z.input<typeof simulation>;
export type SignedSpend = z.output<typeof signedSpend>;
export type SpendOutcome = z.input<typeof spendOutcome>;

/** A budget that is there, or was. */
export interface HeldBudget {
  readonly budget: BudgetView;
  /** Nothing can be spent from it any more; what was spent before is in its windows still. */
  readonly isRemoved: boolean;
}

export type FollowedView = z.input<typeof followedTreasury>;

/** Which Treasury is meant; without it the chain's configured one. */
export interface Chosen {
  treasury?: `0x${string}` | undefined;
}

/** Of the chain's current run. */
export interface ProposalFigures {
  /** Owners may still approve them, or have, and they can be executed. */
  waiting: number;
  executed: number;
}

/** A proposal as the live stream tells it: `approvals` counts also those of former owners. */
export interface RecentProposal {
  proposalId: `0x${string}`;
  state: string;
  approvals: number;
}

/** The Treasury contracts as the service sees it: read from the chain and from its indexed events. */
export interface Treasuries {
  /** @throws BursarError TREASURY_UNKNOWN, as every verb that names a Treasury */
  show(chosen?: Chosen): Promise<TreasuryView>;
  budgets(chosen?: Chosen): Promise<BudgetView[]>;
  /** Those that were removed, too: what was spent today was spent, whatever became of its budget. */
  heldBudgets(chosen?: Chosen): Promise<HeldBudget[]>;
  /** Relays an agent's EIP-712 `Spend`; resolves when it is mined. */
  spend(spend: SignedSpend): Promise<SpendOutcome>;
  proposals(query: {
    treasury?: `0x${string}` | undefined;
    state?: ProposalView["state"] | undefined;
    cursor?: bigint | undefined;
    limit: number;
  }): Promise<{
    items: ProposalView[];
    next: string | null;
  }>;
  proposal(proposalId: `0x${string}`): Promise<ProposalView | null>;
  simulate(proposalId: `0x${string}`): Promise<SimulationView | null>;
  /** Keeps an owner's signature over the proposal until the quorum is there. */
  approve(proposalId: `0x${string}`, owner: `0x${string}`, signature: `0x${string}`): Promise<ProposalView>;
  /** Sends a fully approved proposal to the chain; resolves when it is mined. */
  execute(proposalId: `0x${string}`): Promise<ProposalView>;
  /** Makes a Treasury by the factory and follows it; the same key makes it once. */
  create(terms: { owners: `0x${string}`[]; threshold: number; key: string }): Promise<FollowedView>;
  /** Follows a Treasury that stands on this chain already. @throws BursarError VALIDATION_INVALID_INPUT when none does */
  adopt(address: `0x${string}`): Promise<FollowedView>;
  /** All that are followed, the configured one first. */
  list(): Promise<FollowedView[]>;
  proposalFigures(): Promise<ProposalFigures>;
  /** The newest proposals. */
  recentProposals(limit: number): Promise<RecentProposal[]>;
}
