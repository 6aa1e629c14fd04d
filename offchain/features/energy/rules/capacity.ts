import { BursarError, type FieldError } from "#offchain/core/error.ts";
import { divideDown } from "#offchain/core/rounding.ts";

/**
 * Evidence that a society commands real power. Power is in microwatts, so that 1 µW backs 1 µATP; shares are in basis
 * points. Kinds, freshness and structural rules: Web4's energy-capacity proofs (dp-web4/web4, act_deployment).
 */
export type CapacityProof = SolarProof | ComputeProof | GridProof | HumanProof | BatteryProof;

interface Proven {
  /** How it was established, e.g. "meter API". */
  method: string;
  /** Epoch ms of the measurement; the proof ages from here. */
  provenAt: number;
}

export interface SolarProof extends Proven {
  kind: "solar";
  ratedMicrowatts: bigint;
  /** What is left of the rated power with age: half to all of it. */
  degradationBps: number;
  serial: string;
}

export interface ComputeProof extends Proven {
  kind: "compute";
  idleMicrowatts: bigint;
  tdpMicrowatts: bigint;
  utilisationBps: number;
  deviceId: string;
}

export interface GridProof extends Proven {
  kind: "grid";
  allocatedMicrowatts: bigint;
  meterId: string;
  accountId: string;
  /** The share of the allocation that stays at peak hours. */
  peakFactorBps: number;
}

export interface HumanProof extends Proven {
  kind: "human";
  /** 50 to 200 W; an adult at work is taken as 100 W. */
  metabolicMicrowatts: bigint;
  minutesPerDay: number;
  /** 0.5 to 10 times an untrained hand. */
  skillBps: number;
  laborerId: string;
}

export interface BatteryProof extends Proven {
  kind: "battery";
  maxDischargeMicrowatts: bigint;
  chargeMicrowattHours: bigint;
  capacityMicrowattHours: bigint;
  serial: string;
}

export type CapacityKind = CapacityProof["kind"];
export const capacityKinds = ["solar", "compute", "grid", "human", "battery"] as const;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How long a proof is good for. At exactly this age it no longer is. */
export const proofLifeMs: Readonly<Record<CapacityKind, number>> = {
  solar: 30 * dayMs,
  compute: dayMs,
  grid: 7 * dayMs,
  human: dayMs,
  battery: hourMs,
};

/** The power that a proof vouches for, µW, rounded down. */
export function effectiveMicrowattsDown(proof: CapacityProof): bigint {
  switch (proof.kind) {
    case "solar":
      return shareDown(proof.ratedMicrowatts, proof.degradationBps);
    case "compute":
      return (
        proof.idleMicrowatts + shareDown(proof.tdpMicrowatts - proof.idleMicrowatts, proof.utilisationBps)
      );
    case "grid":
      return proof.allocatedMicrowatts;
    case "human":
      return shareDown(proof.metabolicMicrowatts, proof.skillBps);
    case "battery":
      return proof.maxDischargeMicrowatts;
  }
}

/** The thing that is proven, the same for each renewed proof of it: one panel backs one society. */
export function sourceIdOf(proof: CapacityProof): string {
  switch (proof.kind) {
    case "solar":
    case "battery":
      return `${proof.kind}:${proof.serial}`;
    case "compute":
      return `compute:${proof.deviceId}`;
    case "grid":
      return `grid:${proof.meterId}`;
    case "human":
      return `human:${proof.laborerId}`;
  }
}

/** Epoch ms from which the proof no longer holds. */
export const lapsesAt = (proof: CapacityProof): number => proof.provenAt + proofLifeMs[proof.kind];

/** Whether the proof holds at `now`: it is younger than its life. */
export const isFresh = (proof: CapacityProof, now: number): boolean => now < lapsesAt(proof);

/**
 * @throws BursarError CAPACITY_PROOF_INVALID naming each field that breaks a rule of its kind, lies in the future, or
 * makes the proof stale.
 */
export function requireValidProof(proof: CapacityProof, now: number): void {
  const broken = [...structuralErrors(proof), ...freshnessErrors(proof, now)];
  if (broken.length === 0) return;
  throw new BursarError("CAPACITY_PROOF_INVALID", "cannot charge ATP without a valid energy source", {
    facts: { source: sourceIdOf(proof), provenAt: proof.provenAt, lapsesAt: lapsesAt(proof), now },
    fields: broken,
  });
}

function freshnessErrors(proof: CapacityProof, now: number): FieldError[] {
  return [
    ...rule(proof.provenAt <= now, "provenAt", "must not lie in the future", proof.provenAt),
    ...rule(
      isFresh(proof, now),
      "provenAt",
      `must be less than ${proofLifeMs[proof.kind]} ms ago`,
      proof.provenAt,
    ),
  ];
}

function structuralErrors(proof: CapacityProof): FieldError[] {
  switch (proof.kind) {
    case "solar":
      return [
        ...positive("ratedMicrowatts", proof.ratedMicrowatts),
        ...wholeFrom("degradationBps", proof.degradationBps, 5_000, 10_000),
        ...named("serial", proof.serial),
      ];
    case "compute":
      return [
        ...positive("tdpMicrowatts", proof.tdpMicrowatts),
        ...rule(
          proof.idleMicrowatts >= 0n && proof.idleMicrowatts <= proof.tdpMicrowatts,
          "idleMicrowatts",
          "must be from 0 to the thermal design power",
          proof.idleMicrowatts,
        ),
        ...wholeFrom("utilisationBps", proof.utilisationBps, 0, 10_000),
        ...named("deviceId", proof.deviceId),
      ];
    case "grid":
      return [
        ...positive("allocatedMicrowatts", proof.allocatedMicrowatts),
        ...wholeFrom("peakFactorBps", proof.peakFactorBps, 0, 10_000),
        ...named("meterId", proof.meterId),
        ...named("accountId", proof.accountId),
      ];
    case "human":
      return [
        ...rule(
          proof.metabolicMicrowatts >= 50_000_000n && proof.metabolicMicrowatts <= 200_000_000n,
          "metabolicMicrowatts",
          "must be from 50 W to 200 W",
          proof.metabolicMicrowatts,
        ),
        ...wholeFrom("minutesPerDay", proof.minutesPerDay, 0, 960),
        ...wholeFrom("skillBps", proof.skillBps, 5_000, 100_000),
        ...named("laborerId", proof.laborerId),
      ];
    case "battery":
      return [
        ...positive("maxDischargeMicrowatts", proof.maxDischargeMicrowatts),
        ...positive("capacityMicrowattHours", proof.capacityMicrowattHours),
        ...rule(
          proof.chargeMicrowattHours >= 0n && proof.chargeMicrowattHours <= proof.capacityMicrowattHours,
          "chargeMicrowattHours",
          "must be from 0 to the capacity",
          proof.chargeMicrowattHours,
        ),
        ...named("serial", proof.serial),
      ];
  }
}

const shareDown = (whole: bigint, bps: number): bigint => divideDown(whole * BigInt(bps), 10_000n);

const rule = (holds: boolean, field: string, message: string, value: unknown): FieldError[] =>
  holds ? [] : [{ field, message, value: typeof value === "bigint" ? value.toString() : value }];

const positive = (field: string, value: bigint) => rule(value > 0n, field, "must be above zero", value);

const wholeFrom = (field: string, value: number, least: number, most: number) =>
  rule(
    Number.isInteger(value) && value >= least && value <= most,
    field,
    `must be a whole number from ${least} to ${most}`,
    value,
  );

const named = (field: string, value: string) => rule(value.trim() !== "", field, "must not be empty", value);

export const sourceTaken = (source: string, society: string): BursarError =>
  new BursarError("SOURCE_TAKEN", "this source already backs another society", {
    facts: { source, society },
  });

export const proofNotNewer = (source: string, provenAt: number, newestAt: number): BursarError =>
  new BursarError("CAPACITY_PROOF_INVALID", "a proof that is as new is on file for this source", {
    facts: { source, provenAt, newestAt },
    fields: [{ field: "provenAt", message: `must be later than ${newestAt}`, value: provenAt }],
  });
