import { describe, expect, it } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import {
  energyOf,
  footprintOf,
  footprintOfEnergy,
  type Load,
  loadOf,
} from "#offchain/features/carbon/rules/footprint.ts";
import { computeTypes, hardware } from "#offchain/features/carbon/rules/hardware.ts";
import { inferenceEnergy } from "#offchain/features/carbon/rules/inference.ts";
import {
  type MassFactor,
  offsiteWaterPerKwh,
  regionFactor,
  regions,
} from "#offchain/features/carbon/rules/region.ts";
import { embodiedOf, sciOf } from "#offchain/features/carbon/rules/sci.ts";

const factor = (value: bigint): MassFactor => ({
  value,
  region: "custom",
  source: "test",
  year: null,
  kind: "average",
});

const h100: Load = {
  powerWatts: 700n,
  durationMs: 5_000n,
  utilisationBps: 10_000n,
  pueBps: 10_000n,
  onsiteWaterMicrolitresPerKwh: 300_000n,
  offsiteWaterMicrolitresPerKwh: 0n,
};

describe("a footprint", () => {
  it.each([
    ["H100 for 5 s at 350 g and 0.30 L", h100, 350_000n, 3_500_000n, 340_278n, 292n],
    [
      "the same at 80 % utilisation, PUE 1.2 and 3.132 L off site",
      { ...h100, utilisationBps: 8_000n, pueBps: 12_000n, offsiteWaterMicrolitresPerKwh: 3_132_000n },
      350_000n,
      3_360_000n,
      326_667n,
      3_157n,
    ],
    [
      "A100 for an hour at 400 g and 0.35 L",
      { ...h100, powerWatts: 400n, durationMs: 3_600_000n, onsiteWaterMicrolitresPerKwh: 350_000n },
      400_000n,
      1_440_000_000n,
      160_000_000n,
      140_000n,
    ],
    [
      "CPU for 1 ms at 400 g and 0.40 L",
      { ...h100, powerWatts: 150n, durationMs: 1n, onsiteWaterMicrolitresPerKwh: 400_000n },
      400_000n,
      150n,
      17n,
      0n,
    ],
  ])("of %s is exact to the rounded microgram", (_, load, intensity, energyMillijoules, co2, water) => {
    expect(footprintOf(load, factor(intensity))).toEqual({
      energyMillijoules,
      co2Micrograms: co2,
      waterMicrolitres: water,
      factor: factor(intensity),
    });
  });

  it("follows the seed's example by default: H100, 5 s, us-east", () => {
    const load = loadOf({ computeType: "H100", durationMs: 5_000n, region: "us-east", profile: "legacy" });
    expect(footprintOf(load, regionFactor("us-east"))).toMatchObject({
      energyMillijoules: 3_500_000n,
      co2Micrograms: 340_278n,
      waterMicrolitres: 292n,
      factor: { value: 350_000n, region: "us-east", source: "legacy", year: null, kind: "average" },
    });
  });

  it("counts utilisation, PUE and off-site water under the datacenter profile", () => {
    const load = loadOf({
      computeType: "H100",
      durationMs: 5_000n,
      region: "us-east",
      profile: "datacenter",
    });
    expect(footprintOf(load, regionFactor("us-east"))).toMatchObject({
      energyMillijoules: 3_360_000n,
      co2Micrograms: 326_667n,
      waterMicrolitres: 3_157n,
    });
  });

  it("rounds a half up, once, at the end", () => {
    const half: Load = { ...h100, powerWatts: 1n, durationMs: 1n, utilisationBps: 5_000n };
    expect(energyOf(half)).toBe(1n);
    expect(energyOf({ ...half, utilisationBps: 4_999n })).toBe(0n);
    // 0.5 mJ at 3 600 000 mg/kWh is 0.5 µg; rounding the energy first would have made it 1 mJ and 1 µg either way,
    // but 0.4999 mJ at double the intensity is 0.9998 µg, which rounding twice would lose.
    expect(footprintOf({ ...half, utilisationBps: 4_999n }, factor(7_200_000n)).co2Micrograms).toBe(1n);
  });

  it("adds up: the parts of a job never differ from the whole by more than half a microgram each", () => {
    const parts = Array.from({ length: 100 }, () =>
      footprintOf({ ...h100, durationMs: 50n }, factor(350_000n)),
    );
    const total = parts.reduce((sum, part) => sum + part.co2Micrograms, 0n);
    expect(total).toBeGreaterThanOrEqual(340_278n - 50n);
    expect(total).toBeLessThanOrEqual(340_278n + 50n);
  });

  it("is refused from a percentile", () => {
    const percentile = { ...factor(73n), kind: "percentile" as const };
    const refused = (call: () => unknown) => {
      expect(call).toThrow(BursarError);
      expect(call).toThrow(expect.objectContaining({ code: "FACTOR_NOT_MASS" }));
    };
    refused(() => footprintOf(h100, percentile));
    refused(() => footprintOfEnergy(1n, percentile, 0n));
  });

  it("counts a marginal intensity below zero as zero", () => {
    const marginal = { ...factor(-20_000n), kind: "marginal" as const };
    expect(footprintOf(h100, marginal)).toMatchObject({ co2Micrograms: 0n, factor: { value: -20_000n } });
  });
});

describe("the tables", () => {
  it.each([
    ["H100", 700n, 300_000n],
    ["A100", 400n, 350_000n],
    ["T4", 70n, 300_000n],
    ["CPU", 150n, 400_000n],
  ] as const)("hold the seed's %s", (name, powerWatts, waterMicrolitresPerKwh) => {
    expect(hardware[name]).toMatchObject({ powerWatts, waterMicrolitresPerKwh });
  });

  it.each([
    ["V100", 300n, 7_000n],
    ["L4", 72n, 8_500n],
    ["MI300X", 750n, 7_500n],
    ["TPUv5e", 200n, 8_500n],
    ["GPU", 400n, 10_000n],
    ["TPU", 300n, 10_000n],
    ["Network", 10n, 10_000n],
    ["Storage", 5n, 10_000n],
  ] as const)("hold %s", (name, powerWatts, utilisationBps) => {
    expect(hardware[name]).toMatchObject({ powerWatts, utilisationBps });
    expect(computeTypes).toContain(name);
  });

  it.each([
    ["us-average", 400_000n],
    ["us-west", 250_000n],
    ["us-east", 350_000n],
    ["eu-average", 300_000n],
    ["nordic", 50_000n],
    ["germany", 400_000n],
    ["france", 60_000n],
    ["uk", 200_000n],
    ["china", 550_000n],
    ["india", 700_000n],
  ] as const)("hold the seed's region %s without a year", (region, value) => {
    expect(regionFactor(region)).toEqual({ value, region, source: "legacy", year: null, kind: "average" });
  });

  it.each([
    ["USA", 369_473n],
    ["SWE", 40_695n],
    ["NOR", 30_080n],
    ["FRA", 56_039n],
    ["DEU", 380_950n],
    ["GBR", 237_589n],
    ["CHN", 582_317n],
    ["IND", 713_441n],
    ["IRL", 290_805n],
    ["POL", 661_926n],
  ] as const)("hold %s with its year and source", (region, value) => {
    expect(regionFactor(region)).toEqual({
      value,
      region,
      source: "CodeCarbon global_energy_mix",
      year: 2023,
      kind: "average",
    });
  });

  it.each([
    ["USA", 3_132_100n],
    ["FRA", 3_673_700n],
    ["DEU", 1_947_000n],
    ["GBR", 2_329_000n],
    ["SWE", 6_031_500n],
  ] as const)("hold the off-site water of %s", (region, microlitres) => {
    expect(offsiteWaterPerKwh(region)).toBe(microlitres);
  });

  it("name each region once", () => {
    expect(new Set(regions).size).toBe(20);
  });
});

describe("software carbon intensity", () => {
  const server = { totalMicrograms: 876_500_000_000n, reservedParts: 1n, totalParts: 1n };

  it("takes the share of the hardware's life: 5 s of three years of 876.5 kg", () => {
    const embodied = embodiedOf({ ...server, reservedMs: 5_000n, lifespanMs: 94_608_000_000n });
    expect(embodied).toBe(46_323n);
    expect(sciOf(326_667n, embodied, 1n)).toBe(372_990n);
  });

  it("gives the standard's own example: 1000 kg, four years, one hour", () => {
    expect(
      embodiedOf({
        totalMicrograms: 1_000_000_000_000n,
        reservedMs: 3_600_000n,
        lifespanMs: 4n * 365n * 86_400_000n,
        reservedParts: 1n,
        totalParts: 1n,
      }),
    ).toBe(28_538_813n);
  });

  it("takes the share of the parts and divides by the functional unit", () => {
    const eighth = { ...server, reservedParts: 1n, totalParts: 8n, reservedMs: 1n, lifespanMs: 1n };
    expect(embodiedOf(eighth)).toBe(109_562_500_000n);
    expect(sciOf(10n, 5n, 2n)).toBe(8n);
  });
});

describe("the energy of a model's answer", () => {
  it("is EcoLogits' for 8B parameters, 1000 tokens, batch 64, PUE 1.2", () => {
    const energyMillijoules = inferenceEnergy({
      activeMillions: 8_000n,
      totalMillions: 8_000n,
      outputTokens: 1_000n,
      pueBps: 12_000n,
    });
    // 8.915258e-5 kWh
    expect(energyMillijoules).toBe(320_949n);
    expect(footprintOfEnergy(energyMillijoules, factor(383_550n), 3_132_100n)).toMatchObject({
      energyMillijoules,
      co2Micrograms: 34_194n,
      waterMicrolitres: 279n,
    });
  });

  it("counts every GPU that the weights need: 440B parameters take sixteen", () => {
    const energyMillijoules = inferenceEnergy({
      activeMillions: 132_000n,
      totalMillions: 440_000n,
      outputTokens: 10_000n,
      pueBps: 12_000n,
    });
    // EcoLogits prints 0.03833790589818617 kWh for this case.
    expect(Number(energyMillijoules) / 3.6e9).toBeCloseTo(0.038_337_9, 7);
  });
});
