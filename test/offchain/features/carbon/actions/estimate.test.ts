import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { estimate } from "#offchain/features/carbon/actions/estimate.ts";
import { summarise } from "#offchain/features/carbon/actions/summary.ts";
import type { Carbon } from "#offchain/features/carbon/service.ts";

/** An estimate is pure: it asks the service for nothing, so there is none. */
const noService = undefined as unknown as Carbon;

async function ask(sent: z.input<typeof estimate.input>) {
  const answer = await estimate.run(noService, { role: "anonymous" }, estimate.input.parse(sent));
  return estimate.output.parse(answer);
}

describe("an estimate", () => {
  it.each([
    [
      "H100 for 5 s in us-east",
      { work: { kind: "compute", computeType: "H100", durationMs: 5_000 }, region: "us-east" },
      { energyMillijoules: "3500000", co2Micrograms: "340278", waterMicrolitres: "292" },
    ],
    [
      "the same in a data centre",
      {
        work: { kind: "compute", computeType: "H100", durationMs: 5_000 },
        region: "us-east",
        profile: "datacenter",
      },
      { energyMillijoules: "3360000", co2Micrograms: "326667", waterMicrolitres: "3157" },
    ],
    [
      "A100 for an hour at the American average",
      { work: { kind: "compute", computeType: "A100", durationMs: 3_600_000 } },
      { energyMillijoules: "1440000000", co2Micrograms: "160000000", waterMicrolitres: "140000" },
    ],
    [
      "CPU for a millisecond",
      { work: { kind: "compute", computeType: "CPU", durationMs: 1 } },
      { energyMillijoules: "150", co2Micrograms: "17", waterMicrolitres: "0" },
    ],
    [
      "a thousand tokens of an 8B model at 383.55 g",
      {
        work: { kind: "inference", activeParametersMillions: 8_000, outputTokens: 1_000 },
        profile: "datacenter",
        factor: { value: "383550", source: "EcoLogits", kind: "average" },
      },
      { energyMillijoules: "320949", co2Micrograms: "34194" },
    ],
  ] satisfies [string, z.input<typeof estimate.input>, object][])(
    "of %s is exact",
    async (_, sent, expected) => {
      expect(await ask(sent)).toMatchObject(expected);
    },
  );

  it("says where its factor comes from", async () => {
    const work = { kind: "compute", computeType: "CPU", durationMs: 1 } as const;
    expect((await ask({ work, region: "SWE" })).factor).toEqual({
      value: "40695",
      region: "SWE",
      source: "CodeCarbon global_energy_mix",
      year: 2023,
      kind: "average",
    });
    const factor = { value: "-20000", source: "WattTime", year: 2026, kind: "marginal" } as const;
    expect(await ask({ work, region: "SWE", factor })).toMatchObject({
      co2Micrograms: "0",
      factor: { ...factor, region: "SWE" },
    });
  });

  it("adds the hardware's making for software carbon intensity", async () => {
    expect(
      await ask({
        work: { kind: "compute", computeType: "H100", durationMs: 5_000 },
        region: "us-east",
        profile: "datacenter",
        embodied: { totalGrams: 876_500, lifespanMs: 94_608_000_000, reservedMs: 5_000 },
      }),
    ).toMatchObject({ embodiedMicrograms: "46323", sciMicrograms: "372990" });
  });

  it("never turns a percentile into grams", async () => {
    await expect(
      ask({
        work: { kind: "compute", computeType: "CPU", durationMs: 1 },
        factor: { value: "73", source: "WattTime", kind: "percentile" },
      }),
    ).rejects.toMatchObject({ code: "FACTOR_NOT_MASS" });
  });

  const compute = { kind: "compute", computeType: "CPU", durationMs: 1 };
  const inference = { kind: "inference", activeParametersMillions: 1, outputTokens: 1 };
  const embodied = { totalGrams: 1, lifespanMs: 1, reservedMs: 1 };
  const factor = { value: "1", source: "s", kind: "average" };
  it.each<[string, z.ZodType, Record<string, unknown>]>([
    ["work.kind", estimate.input, { work: { kind: "magic" } }],
    ["work.computeType", estimate.input, { work: { ...compute, computeType: "h100" } }],
    ["work.durationMs", estimate.input, { work: { ...compute, durationMs: "1" } }],
    [
      "work.activeParametersMillions",
      estimate.input,
      { work: { ...inference, activeParametersMillions: 0 } },
    ],
    [
      "work.totalParametersMillions",
      estimate.input,
      { work: { ...inference, totalParametersMillions: 0.5 } },
    ],
    ["work.outputTokens", estimate.input, { work: { ...inference, outputTokens: -1 } }],
    ["region", estimate.input, { work: compute, region: "US" }],
    ["factor.value", estimate.input, { work: compute, factor: { ...factor, value: "1.5" } }],
    ["factor.source", estimate.input, { work: compute, factor: { ...factor, source: "" } }],
    ["factor.year", estimate.input, { work: compute, factor: { ...factor, year: 23 } }],
    ["factor.kind", estimate.input, { work: compute, factor: { ...factor, kind: "guess" } }],
    ["profile", estimate.input, { work: compute, profile: "green" }],
    ["embodied.totalGrams", estimate.input, { work: compute, embodied: { ...embodied, totalGrams: -1 } }],
    ["embodied.lifespanMs", estimate.input, { work: compute, embodied: { ...embodied, lifespanMs: 0 } }],
    ["embodied.reservedMs", estimate.input, { work: compute, embodied: { ...embodied, reservedMs: 0 } }],
    [
      "embodied.reservedParts",
      estimate.input,
      { work: compute, embodied: { ...embodied, reservedParts: 0 } },
    ],
    ["embodied.totalParts", estimate.input, { work: compute, embodied: { ...embodied, totalParts: 0 } }],
    ["functionalUnits", estimate.input, { work: compute, functionalUnits: 0 }],
    ["agent", summarise.input, { agent: "me" }],
    ["limit", summarise.input, { limit: 0 }],
  ])("refuses a bad %s there and only there", (field, schema, sent) => {
    const parsed = schema.safeParse(sent);
    expect(parsed.success).toBe(false);
    expect(new Set(parsed.error?.issues.map(({ path }) => path.join(".")))).toEqual(new Set([field]));
  });
});
