import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { integer, text } from "#offchain/core/schema.ts";
import {
  datacenterPueBps,
  type Footprint,
  footprintOf,
  footprintOfEnergy,
  loadOf,
  profiles,
  wholeBps,
} from "../rules/footprint.ts";
import { computeTypes } from "../rules/hardware.ts";
import { inferenceEnergy } from "../rules/inference.ts";
import {
  factorKinds,
  type IntensityFactor,
  offsiteWaterPerKwh,
  regionFactor,
  regions,
} from "../rules/region.ts";
import { embodiedOf, sciOf } from "../rules/sci.ts";
import { duration, factorOutput, presentFactor } from "../schema.ts";

const signedInteger = z.string().regex(/^-?\d{1,30}$/, "must be an integer as a decimal string");
const count = z.int().min(1).max(1_000_000_000);

const workInput = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("compute"), computeType: z.enum(computeTypes), durationMs: duration }),
  z.object({
    kind: z.literal("inference"),
    activeParametersMillions: z.int().min(1).max(100_000_000),
    totalParametersMillions: z
      .int()
      .min(1)
      .max(100_000_000)
      .optional()
      .describe("Equal to the active if left out"),
    outputTokens: count,
  }),
]);

const input = z.object({
  work: workInput,
  region: z.enum(regions).default("us-average"),
  factor: z
    .object({
      value: signedInteger.describe("mg CO2e per kWh"),
      source: text(200).min(1),
      year: z.int().min(1990).max(2200).nullable().default(null),
      kind: z.enum(factorKinds),
    })
    .optional()
    .describe("A figure of your own, instead of the region's; a percentile is refused"),
  profile: z.enum(profiles).default("legacy"),
  embodied: z
    .object({
      totalGrams: z.int().min(0).max(1_000_000_000_000).describe("Emissions of making the hardware"),
      lifespanMs: z.int().min(1),
      reservedMs: z.int().min(1),
      reservedParts: count.default(1),
      totalParts: count.default(1),
    })
    .optional()
    .describe("The share of the hardware's making, for software carbon intensity"),
  functionalUnits: count.default(1),
});

/** Pure: the same question has the same answer, and nothing is written. */
export const estimate = action({
  name: "carbon.estimate",
  summary: "Energy, CO2e and water of a piece of work, before it is done",
  effect: "write",
  resource: "/api/v1/carbon/estimates",
  role: "anonymous",
  input,
  output: z.object({
    energyMillijoules: integer,
    co2Micrograms: integer,
    waterMicrolitres: integer,
    factor: factorOutput,
    embodiedMicrograms: integer,
    /** (operational + embodied) per functional unit, ISO/IEC 21031. */
    sciMicrograms: integer,
  }),
  async run(_world, _caller, request) {
    const footprint = footprintFor(request);
    const embodied = embodiedFor(request);
    const sci = sciOf(footprint.co2Micrograms, embodied, BigInt(request.functionalUnits));
    return {
      energyMillijoules: footprint.energyMillijoules.toString(),
      co2Micrograms: footprint.co2Micrograms.toString(),
      waterMicrolitres: footprint.waterMicrolitres.toString(),
      factor: presentFactor(footprint.factor),
      embodiedMicrograms: embodied.toString(),
      sciMicrograms: sci.toString(),
    };
  },
});

type Request = z.output<typeof input>;

function footprintFor({ work, region, factor, profile }: Request): Footprint {
  const intensity: IntensityFactor = factor
    ? { ...factor, value: BigInt(factor.value), region }
    : regionFactor(region);
  if (work.kind === "compute") {
    const { computeType, durationMs } = work;
    return footprintOf(loadOf({ computeType, durationMs: BigInt(durationMs), region, profile }), intensity);
  }
  const hosted = profile === "datacenter";
  const energyMillijoules = inferenceEnergy({
    activeMillions: BigInt(work.activeParametersMillions),
    totalMillions: BigInt(work.totalParametersMillions ?? work.activeParametersMillions),
    outputTokens: BigInt(work.outputTokens),
    pueBps: hosted ? datacenterPueBps : wholeBps,
  });
  return footprintOfEnergy(energyMillijoules, intensity, hosted ? offsiteWaterPerKwh(region) : 0n);
}

function embodiedFor({ embodied }: Request): bigint {
  if (!embodied) return 0n;
  return embodiedOf({
    totalMicrograms: BigInt(embodied.totalGrams) * 1_000_000n,
    reservedMs: BigInt(embodied.reservedMs),
    lifespanMs: BigInt(embodied.lifespanMs),
    reservedParts: BigInt(embodied.reservedParts),
    totalParts: BigInt(embodied.totalParts),
  });
}
