/** Where a figure for the grid comes from; stored with every footprint, so that it can be checked years later. */
interface Provenance {
  /** A region of {@link regions}, or whatever the source calls the place. */
  readonly region: string;
  readonly source: string;
  /** The year that the figure describes; null when its source does not say. */
  readonly year: number | null;
}

/** Grid intensity from which a mass may be computed. `value`: mg CO₂e per kWh; a marginal one may be below zero. */
export interface MassFactor extends Provenance {
  readonly kind: "average" | "marginal";
  readonly value: bigint;
}

/** How the grid stands against its own history. `value`: 0 to 100. It orders hours; it is no mass. */
export interface PercentileFactor extends Provenance {
  readonly kind: "percentile";
  readonly value: bigint;
}

export type IntensityFactor = MassFactor | PercentileFactor;
export const factorKinds = ["average", "marginal", "percentile"] as const;

interface Grid {
  /** mg CO₂e per kWh. */
  readonly intensity: bigint;
  /** Water evaporated where the power is made, µL per kWh; counted only by the `datacenter` profile. */
  readonly offsiteWater: bigint;
}

/**
 * Off-site water, µL per kWh: EcoLogits' electricity mixes (commit 5be90da). Zero elsewhere: not known, so not counted.
 */
const offsiteWater = {
  USA: 3_132_100n,
  FRA: 3_673_700n,
  DEU: 1_947_000n,
  GBR: 2_329_000n,
  SWE: 6_031_500n,
} as const;

/** The seeds' regions (AgentKern's treasury, commit f78ef91): round figures without a year. */
const legacy = {
  "us-average": { intensity: 400_000n, offsiteWater: offsiteWater.USA },
  "us-west": { intensity: 250_000n, offsiteWater: offsiteWater.USA },
  "us-east": { intensity: 350_000n, offsiteWater: offsiteWater.USA },
  "eu-average": { intensity: 300_000n, offsiteWater: 0n },
  nordic: { intensity: 50_000n, offsiteWater: 0n },
  germany: { intensity: 400_000n, offsiteWater: offsiteWater.DEU },
  france: { intensity: 60_000n, offsiteWater: offsiteWater.FRA },
  uk: { intensity: 200_000n, offsiteWater: offsiteWater.GBR },
  china: { intensity: 550_000n, offsiteWater: 0n },
  india: { intensity: 700_000n, offsiteWater: 0n },
} as const satisfies Record<string, Grid>;

/** Yearly means of 2023 by country (ISO 3166-1 alpha-3): CodeCarbon's `global_energy_mix.json` (commit b05965e4). */
const yearly2023 = {
  USA: { intensity: 369_473n, offsiteWater: offsiteWater.USA },
  SWE: { intensity: 40_695n, offsiteWater: offsiteWater.SWE },
  NOR: { intensity: 30_080n, offsiteWater: 0n },
  FRA: { intensity: 56_039n, offsiteWater: offsiteWater.FRA },
  DEU: { intensity: 380_950n, offsiteWater: offsiteWater.DEU },
  GBR: { intensity: 237_589n, offsiteWater: offsiteWater.GBR },
  CHN: { intensity: 582_317n, offsiteWater: 0n },
  IND: { intensity: 713_441n, offsiteWater: 0n },
  IRL: { intensity: 290_805n, offsiteWater: 0n },
  POL: { intensity: 661_926n, offsiteWater: 0n },
} as const satisfies Record<string, Grid>;

const grids = { ...legacy, ...yearly2023 } as const;

export type Region = keyof typeof grids;
export const regions = Object.keys(grids) as [Region, ...Region[]];

/** The static factor of a region: what is counted when no live figure is at hand. */
export function regionFactor(region: Region): MassFactor {
  const dated = Object.hasOwn(yearly2023, region);
  return {
    value: grids[region].intensity,
    region,
    source: dated ? "CodeCarbon global_energy_mix" : "legacy",
    year: dated ? 2023 : null,
    kind: "average",
  };
}

/** µL of water per kWh evaporated where the region's power is made; 0 where it is not known. */
export function offsiteWaterPerKwh(region: Region): bigint {
  return grids[region].offsiteWater;
}

/** A factor with where it is from, in one line, as receipts print it. */
export const factorText = ({ value, region, kind, source, year }: MassFactor): string =>
  [`${value} mg/kWh`, region, kind, year === null ? source : `${source} ${year}`].join(", ");
