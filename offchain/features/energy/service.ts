import type { CarbonWithin } from "#offchain/features/carbon/service.ts";
import type { LedgerFigures, LedgerWithin } from "#offchain/features/ledger/service.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { CapacityKind, CapacityProof } from "./rules/capacity.ts";
import type { Charge, LotRecord } from "./rules/pool.ts";
import type { AdpIssue, Society } from "./rules/society.ts";
import type { PoolFigures } from "./rules/standing.ts";
import type { Address, Completion, Ticket, TicketOutcome, TicketRequest } from "./rules/ticket.ts";

/** What energy needs of other features: its lots, the ledger and the footprints change in one transaction. */
export interface EnergyNeeds {
  ledger: LedgerWithin & LedgerFigures;
  carbon: CarbonWithin;
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

/** A society with its energy at one moment. */
export interface PoolStanding extends PoolFigures {
  society: Society;
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

/** Work that is done, as a payment for it and its receipt tell of it. */
export interface CompletedWork {
  ticketId: string;
  /** Who did it; checksummed. */
  worker: Address;
  /** µATP that the work discharged. */
  atp: bigint;
  energyMillijoules: bigint;
  co2Micrograms: bigint;
  waterMicrolitres: bigint;
  /** Where the emission factor is from. */
  factor: string;
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
  /**
   * The completed tickets among these ids; an id that is none, or whose work is not done, is left out.
   * @param tx the caller's transaction, if it must see what that sees
   */
  completedWork(ids: readonly string[], tx?: Sql | Tx): Promise<Map<string, CompletedWork>>;
  /** By society id, after `after`. */
  pools(query: { society?: string; after?: string; limit: number }): Promise<PoolStanding[]>;
  /** Moves what spoiled and gives back what overdue tickets hold, for up to `limit` tickets and as many lots. */
  expire(limit: number): Promise<Spoilage>;
}
