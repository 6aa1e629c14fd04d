import { describe, expect, it } from "vitest";
import {
  factorKinds,
  factorText,
  type MassFactor,
  offsiteWaterPerKwh,
  type Region,
  regionFactor,
  regions,
} from "#offchain/features/carbon/rules/region.ts";

/** Yearly means of 2023 in g/kWh, as CodeCarbon's `global_energy_mix.json` has them under `carbon_intensity`. */
const codeCarbon = {
  USA: 369.473,
  SWE: 40.695,
  NOR: 30.08,
  FRA: 56.039,
  DEU: 380.95,
  GBR: 237.589,
  CHN: 582.317,
  IND: 713.441,
  IRL: 290.805,
  POL: 661.926,
} as const;

describe("a region's factor", () => {
  it.each(Object.entries(codeCarbon))(
    "of %s is CodeCarbon's in mg, with its source and year",
    (region, grams) => {
      const factor = regionFactor(region as Region);
      expect(Number(factor.value)).toBe(Math.round(grams * 1_000));
      expect(factor).toMatchObject({
        region,
        source: "CodeCarbon global_energy_mix",
        year: 2023,
        kind: "average",
      });
    },
  );

  it.each([
    ["germany", "DEU"],
    ["france", "FRA"],
    ["uk", "GBR"],
  ] as const)("of the seed's %s claims no year, and is another figure than that of %s", (seed, iso) => {
    expect(regionFactor(seed)).toMatchObject({ source: "legacy", year: null });
    expect(regionFactor(iso).value).not.toBe(regionFactor(seed).value);
    // The same power plants, though: their water is the same.
    expect(offsiteWaterPerKwh(seed)).toBe(offsiteWaterPerKwh(iso));
  });

  it.each(regions)(
    "of %s is a mass: above zero, below coal's 1 100 g, and told where it is from",
    (region) => {
      const factor = regionFactor(region);
      expect(factor.region).toBe(region);
      expect(factor.value).toBeGreaterThan(0n);
      expect(factor.value).toBeLessThan(1_100_000n);
      expect(factor.source).not.toBe("");
      expect(factorKinds).toContain(factor.kind);
    },
  );
});

describe("off-site water", () => {
  it("is the United States' in each of its regions", () => {
    for (const region of ["us-average", "us-west", "us-east", "USA"] as const)
      expect(offsiteWaterPerKwh(region)).toBe(3_132_100n);
  });

  it("is not counted where it is not known, rather than guessed", () => {
    for (const region of [
      "eu-average",
      "nordic",
      "china",
      "india",
      "NOR",
      "CHN",
      "IND",
      "IRL",
      "POL",
    ] as const)
      expect(offsiteWaterPerKwh(region)).toBe(0n);
  });
});

describe("a factor in one line", () => {
  const live: MassFactor = {
    value: -12n,
    region: "CAISO_NORTH",
    source: "WattTime",
    year: null,
    kind: "marginal",
  };

  it("says value, place, kind, source, and the year if there is one", () => {
    expect(factorText(regionFactor("DEU"))).toBe(
      "380950 mg/kWh, DEU, average, CodeCarbon global_energy_mix 2023",
    );
    expect(factorText(regionFactor("us-east"))).toBe("350000 mg/kWh, us-east, average, legacy");
  });

  it("keeps the sign of a marginal factor below zero", () => {
    expect(factorText(live)).toBe("-12 mg/kWh, CAISO_NORTH, marginal, WattTime");
  });
});
