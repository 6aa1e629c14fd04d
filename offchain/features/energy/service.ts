import type { BursarError } from "#offchain/core/error.ts";
import type { ComputeType } from "#offchain/features/carbon/rules/hardware.ts";
import type { Region } from "#offchain/features/carbon/rules/region.ts";
import type { Footprint, Profile } from "#offchain/features/carbon/rules/footprint.ts";
import type { CapacityKind, CapacityProof } from "./rules/capacity.ts";

/** Checksummed. */
export type Address = `0x${string}`;

/** A group that owns sources and works on their power (seed document 004). */
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

export interface RegisteredSource {
  id: string;
  society: string;
  kind: CapacityKind;
  effectiveMicrowatts: bigint;
  provenAt: number;
  /** Epoch ms from which the proof no longer holds. */
  lapsesAt: number;
}

export interface Charge {
  key: string;
  society: string;
  sourceId: string;
  /** µATP; as much ADP is taken. */
  amount: bigint;
  lifetimeMs: number;
}

/** A charged lot of ATP, all amounts in µATP. */
export interface LotRecord {
  id: string;
  society: string;
  sourceId: string;
  charged: bigint;
  available: bigint;
  reserved: bigint;
  consumed: bigint;
  expired: bigint;
  lifetimeMs: number;
  chargedAt: number;
  expiresAt: number;
}

export interface TicketRequest {
  /** Idempotency key within the society. */
  key: string;
  society: string;
  worker: Address;
  /** For whom the work is done; it may judge the work. */
  requester: Address | null;
  computeType: ComputeType;
  /** How long the work is expected to take. */
  durationMs: number;
  region: Region;
  profile: Profile;
  description: string;
  /** How long until work that nobody reports is given up. */
  timeoutMs: number;
}

export interface Completion {
  ticketId: string;
  /** How long the work really took. */
  durationMs: number;
  /** 10 000 is flawless; scales the worker's credit. */
  qualityBps: number;
}

export const ticketStates = ["allocated", "completed", "failed", "expired"] as const;
export type TicketState = (typeof ticketStates)[number];

/** What a payment's receipt says about the work that was paid for. */
export interface WorkReceipt extends Footprint {
  ticketId: string;
  /** µATP that the work consumed. */
  atp: bigint;
}

export interface Ticket extends Omit<TicketRequest, "timeoutMs"> {
  id: string;
  state: TicketState;
  /** µATP that was reserved for it. */
  reserved: bigint;
  createdAt: number;
  /** Overdue once `now` is past it. */
  deadlineAt: number;
  resolvedAt: number | null;
  /** Why it failed. */
  reason: string | null;
  result: { durationMs: number; qualityBps: number; creditAdp: bigint; receipt: WorkReceipt } | null;
}

/** Replayed: the same request was answered before, and this is that answer. */
export type TicketOutcome =
  | { ok: true; ticket: Ticket; replayed: boolean }
  | { ok: false; error: BursarError };

/** A society's energy at one moment. ADP + ATP + reserved + expired = issued. */
export interface PoolStanding {
  society: Society;
  issued: bigint;
  /** µW that valid proofs vouch for. */
  capacityMicrowatts: bigint;
  adp: bigint;
  /** Charged, free and not spoiled. */
  atp: bigint;
  reserved: bigint;
  expired: bigint;
  /** All ATP that work ever discharged. */
  consumed: bigint;
  /** Share of all ATP ever charged that spoiled, rounded down. */
  wasteBps: number;
  /** Whether more is committed than valid proofs vouch for, because capacity was lost; charging waits meanwhile. */
  isOvercommitted: boolean;
  sources: RegisteredSource[];
  /** Lots with something available or reserved, earliest expiry first. */
  lots: LotRecord[];
  /** The latest lots of which more than 100 ATP spoiled. */
  wasteAlerts: LotRecord[];
}

/** What one pass moved. */
export interface Spoilage {
  /** Lots of which something spoiled, as they then stood. */
  lots: LotRecord[];
  tickets: Ticket[];
  /** µATP moved to expired. */
  expired: bigint;
  /** Whether nothing was left to move. */
  isDone: boolean;
}

/** Energy pools: capacity, ADP and ATP, and the work that turns one into the other. Every promise that resolves is durable. */
export interface Energy {
  /** @throws BursarError IDEMPOTENCY_CONFLICT; FORBIDDEN when the society has another owner. */
  issue(issue: AdpIssue): Promise<{ society: Society; amount: bigint; replayed: boolean }>;
  society(id: string): Promise<Society | null>;
  /**
   * Files a proof; a newer proof of the same source renews it.
   * @throws BursarError SOCIETY_UNKNOWN, CAPACITY_PROOF_INVALID, SOURCE_TAKEN.
   */
  register(society: string, proof: CapacityProof): Promise<{ source: RegisteredSource; replayed: boolean }>;
  /** @throws BursarError SOCIETY_UNKNOWN, IDEMPOTENCY_CONFLICT, and those of `requireChargeable`. */
  charge(charge: Charge): Promise<{ lot: LotRecord; replayed: boolean }>;
  /** One outcome per request, in order; each stands alone. */
  allocateMany(requests: readonly TicketRequest[]): Promise<TicketOutcome[]>;
  /** One outcome per completion, in order; each stands alone. */
  completeMany(completions: readonly Completion[]): Promise<TicketOutcome[]>;
  /** @throws BursarError TICKET_UNKNOWN, TICKET_CLOSED. */
  fail(ticketId: string, reason: string): Promise<{ ticket: Ticket; replayed: boolean }>;
  tickets(ids: readonly string[]): Promise<Ticket[]>;
  /** By society id, after `after`. */
  pools(query: { society?: string; after?: string; limit: number }): Promise<PoolStanding[]>;
  /** Moves what spoiled and gives back what overdue tickets hold, for up to `limit` tickets and as many lots. */
  expire(limit: number): Promise<Spoilage>;
}
