import { BursarError } from "#offchain/core/error.ts";
import { divideHalfUp } from "#offchain/core/rounding.ts";
import { type ComputeType, hardware } from "./hardware.ts";
import { type IntensityFactor, type MassFactor, offsiteWaterPerKwh, type Region } from "./region.ts";

/** What a job cost the world. Each figure is rounded half up once, from exact terms; totals add these rounded figures. */
export interface Footprint {
  /** Millijoules, everything included that the profile includes. */
  energyMillijoules: bigint;
  /** Micrograms of CO₂ equivalent. */
  co2Micrograms: bigint;
  waterMicrolitres: bigint;
  /** The grid intensity that was used. */
  factor: MassFactor;
}

/**
 * `legacy`: the seeds' arithmetic: full power, no overhead, water on site only.
 * `datacenter`: the hardware's mean utilisation, PUE 1.2, and the water of the power plants.
 */
export const profiles = ["legacy", "datacenter"] as const;
export type Profile = (typeof profiles)[number];

/** 10 000 basis points are the whole. */
export const wholeBps = 10_000n;
/** Power usage effectiveness of the `datacenter` profile: 1.2, also the default of EcoLogits for hosted models. */
export const datacenterPueBps = 12_000n;
/** 1 kWh. */
const kwhInMj = 3_600_000_000n;

/** The terms of a footprint, in exact units: watts × milliseconds are millijoules. */
export interface Load {
  powerWatts: bigint;
  durationMs: bigint;
  utilisationBps: bigint;
  pueBps: bigint;
  /** Per kWh of IT energy. */
  onsiteWaterMicrolitresPerKwh: bigint;
  /** Per kWh of all energy. */
  offsiteWaterMicrolitresPerKwh: bigint;
}

/** The load of a job on known hardware under a profile. */
export function loadOf(job: {
  computeType: ComputeType;
  durationMs: bigint;
  region: Region | null;
  profile: Profile;
}): Load {
  const { powerWatts, utilisationBps, waterMicrolitresPerKwh } = hardware[job.computeType];
  const hosted = job.profile === "datacenter";
  return {
    powerWatts,
    durationMs: job.durationMs,
    utilisationBps: hosted ? utilisationBps : wholeBps,
    pueBps: hosted ? datacenterPueBps : wholeBps,
    onsiteWaterMicrolitresPerKwh: waterMicrolitresPerKwh,
    offsiteWaterMicrolitresPerKwh: hosted && job.region ? offsiteWaterPerKwh(job.region) : 0n,
  };
}

/** Energy of a load, mJ: power × time × utilisation × PUE. */
export function energyOf(load: Load): bigint {
  return divideHalfUp(exactEnergy(load), wholeBps * wholeBps);
}

/**
 * The footprint of a load: CO₂ = energy × intensity; water = IT energy × on-site + energy × off-site.
 * @throws BursarError FACTOR_NOT_MASS: a percentile was given, from which no mass follows.
 */
export function footprintOf(load: Load, factor: IntensityFactor): Footprint {
  const massFactor = requireMass(factor);
  const energy = exactEnergy(load);
  const itEnergy = load.powerWatts * load.durationMs * load.utilisationBps * wholeBps;
  const scale = wholeBps * wholeBps;
  return {
    energyMillijoules: divideHalfUp(energy, scale),
    co2Micrograms: divideHalfUp(ledgerIntensity(massFactor) * energy * 1_000n, kwhInMj * scale),
    waterMicrolitres: divideHalfUp(
      load.onsiteWaterMicrolitresPerKwh * itEnergy + load.offsiteWaterMicrolitresPerKwh * energy,
      kwhInMj * scale,
    ),
    factor: massFactor,
  };
}

/** The footprint of energy that is already known in mJ, with the water of the power plants. @throws as {@link footprintOf}. */
export function footprintOfEnergy(
  energyMillijoules: bigint,
  factor: IntensityFactor,
  offsiteWaterMicrolitresPerKwh: bigint,
): Footprint {
  const massFactor = requireMass(factor);
  return {
    energyMillijoules,
    co2Micrograms: divideHalfUp(ledgerIntensity(massFactor) * energyMillijoules * 1_000n, kwhInMj),
    waterMicrolitres: divideHalfUp(offsiteWaterMicrolitresPerKwh * energyMillijoules, kwhInMj),
    factor: massFactor,
  };
}

function requireMass(factor: IntensityFactor): MassFactor {
  if (factor.kind !== "percentile") return factor;
  throw new BursarError(
    "FACTOR_NOT_MASS",
    "a percentile of grid intensity has no mass; send mg CO2e per kWh",
    {
      facts: { value: factor.value, region: factor.region, source: factor.source, kind: factor.kind },
    },
  );
}

/** mJ × {@link wholeBps}². */
const exactEnergy = (load: Load): bigint =>
  load.powerWatts * load.durationMs * load.utilisationBps * load.pueBps;

/** A marginal intensity below zero may steer a schedule, but nobody's books grow cleaner by running a job. */
const ledgerIntensity = (factor: MassFactor): bigint => (factor.value < 0n ? 0n : factor.value);
