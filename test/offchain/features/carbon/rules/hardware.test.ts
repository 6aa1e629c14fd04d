import { describe, expect, it } from "vitest";
import { computeTypes, hardware } from "#offchain/features/carbon/rules/hardware.ts";

/**
 * NVIDIA's data sheets ("Max thermal design power", "TDP") of the H100 SXM5, A100 SXM4, T4, V100 SXM2 and L4, and AMD's
 * of the MI300X ("Max. TBP"), in watts.
 */
const dataSheets = { H100: 700n, A100: 400n, T4: 70n, V100: 300n, L4: 72n, MI300X: 750n } as const;

describe("a kind of hardware", () => {
  it.each(Object.entries(dataSheets))("%s draws what its maker's data sheet says", (name, watts) => {
    expect(hardware[name as keyof typeof dataSheets].powerWatts).toBe(watts);
  });

  it.each(computeTypes)(
    "%s draws power, is busy at least a little and at most fully, and is cooled",
    (name) => {
      const { powerWatts, utilisationBps, waterMicrolitresPerKwh } = hardware[name];
      expect(powerWatts).toBeGreaterThan(0n);
      expect(utilisationBps).toBeGreaterThan(0n);
      expect(utilisationBps).toBeLessThanOrEqual(10_000n);
      expect(waterMicrolitresPerKwh).toBeGreaterThan(0n);
    },
  );

  it.each([
    ["V100", 2_500_000n],
    ["L4", 2_500_000n],
    ["MI300X", 2_500_000n],
    ["GPU", 2_500_000n],
    ["TPUv5e", 2_200_000n],
    ["TPU", 2_200_000n],
    ["Network", 500_000n],
    ["Storage", 300_000n],
  ] as const)("%s is cooled with the water of its class in AgentKern's table", (name, microlitres) => {
    expect(hardware[name].waterMicrolitresPerKwh).toBe(microlitres);
  });

  it("that is not known in detail counts as fully busy, so that nobody looks cleaner by saying less", () => {
    for (const name of ["GPU", "TPU", "CPU", "Network", "Storage"] as const)
      expect(hardware[name].utilisationBps).toBe(10_000n);
    // The mean utilisations of AgentKern's table for the four that the seed describes.
    expect([hardware.H100, hardware.A100, hardware.T4].map(({ utilisationBps }) => utilisationBps)).toEqual([
      8_000n,
      7_500n,
      9_000n,
    ]);
  });
});

it("what a job may name is the table, each kind once, and nothing that objects merely inherit", () => {
  expect(computeTypes).toHaveLength(12);
  expect(new Set<string>(computeTypes)).toEqual(new Set(Object.keys(hardware)));
  for (const inherited of ["constructor", "toString", "__proto__"])
    expect(computeTypes).not.toContain(inherited);
});
