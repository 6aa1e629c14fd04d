import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Footprint } from "./rules/footprint.ts";
import type { ComputeType } from "./rules/hardware.ts";

/** Sums of stored, already rounded figures, so that receipts add up to them. */
export interface CarbonTotals {
  tickets: bigint;
  /** µATP. */
  atp: bigint;
  energyMillijoules: bigint;
  co2Micrograms: bigint;
  waterMicrolitres: bigint;
}

export interface CarbonQuery {
  /** Only the work of this agent; checksummed. */
  agent?: `0x${string}`;
  /** How many agents to list, the greatest emitters first. */
  limit: number;
}

export interface CarbonSummary {
  totals: CarbonTotals;
  agents: (CarbonTotals & { agent: `0x${string}` })[];
  regions: (CarbonTotals & { region: string })[];
  hardware: (CarbonTotals & { computeType: ComputeType })[];
  /** The hour that runs and the 23 before it, oldest first, empty ones included. */
  hours: (CarbonTotals & { startsAt: number })[];
}

/** The footprint of a completed work ticket. */
export interface RecordedFootprint extends Footprint {
  ticketId: string;
  /** Checksummed. */
  worker: `0x${string}`;
  region: string;
  computeType: ComputeType;
  /** µATP that the work consumed. */
  atp: bigint;
}

/** Footprints as another feature's transaction writes and sees them: work is completed with its footprint or not at all. */
export interface CarbonWithin {
  record(tx: Tx, footprints: readonly RecordedFootprint[], now: number): Promise<void>;
  /**
   * The footprints of work tickets, by ticket; those that have none are left out.
   * @param tx the caller's transaction, if it must see what that sees
   */
  footprints(ticketIds: readonly string[], tx?: Sql | Tx): Promise<Map<string, RecordedFootprint>>;
}

/** What completed work emitted, by whom, where and on what. */
export interface Carbon extends CarbonWithin {
  /** Of all work. */
  totals(): Promise<CarbonTotals>;
  summary(query: CarbonQuery): Promise<CarbonSummary>;
}
