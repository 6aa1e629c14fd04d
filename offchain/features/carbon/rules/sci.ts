import { divideHalfUp } from "#offchain/core/rounding.ts";

/** The making of the hardware, and the share of its life and of its parts that a job took. */
export interface EmbodiedShare {
  /** TE: all emissions of making the hardware, µg CO₂e. */
  totalMicrograms: bigint;
  /** TiR: how long it was reserved. */
  reservedMs: bigint;
  /** EL: how long it is expected to live. */
  lifespanMs: bigint;
  /** RR of ToR: parts reserved out of all parts. */
  reservedParts: bigint;
  totalParts: bigint;
}

/** M = TE · (TiR/EL) · (RR/ToR), µg. Source: Software Carbon Intensity 1.1 (ISO/IEC 21031). */
export function embodiedOf(share: EmbodiedShare): bigint {
  return divideHalfUp(
    share.totalMicrograms * share.reservedMs * share.reservedParts,
    share.lifespanMs * share.totalParts,
  );
}

/**
 * Software Carbon Intensity, µg per functional unit: (E·I + M) / R.
 * The operational part must be gross and location-based: the standard admits no offset, discount or market-based figure.
 */
export function sciOf(
  operationalMicrograms: bigint,
  embodiedMicrograms: bigint,
  functionalUnits: bigint,
): bigint {
  return divideHalfUp(operationalMicrograms + embodiedMicrograms, functionalUnits);
}
