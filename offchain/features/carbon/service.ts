import type { ComputeType } from "./hardware.ts";

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

/** What completed work emitted, by whom, where and on what. */
export interface Carbon {
  totals(): Promise<CarbonTotals>;
  summary(query: CarbonQuery): Promise<CarbonSummary>;
}
