import { describe, expect, it } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import {
  type BatteryProof,
  type CapacityProof,
  type ComputeProof,
  effectiveMicrowattsDown,
  type GridProof,
  type HumanProof,
  isFresh,
  lapsesAt,
  requireValidProof,
  type SolarProof,
  sourceIdOf,
} from "#offchain/features/energy/rules/capacity.ts";

const provenAt = Date.UTC(2026, 0, 1);
const watts = (count: number): bigint => BigInt(count) * 1_000_000n;

const solar: SolarProof = {
  kind: "solar",
  method: "hardware query",
  provenAt,
  ratedMicrowatts: watts(300),
  degradationBps: 9_500,
  serial: "XYZ",
};
const compute: ComputeProof = {
  kind: "compute",
  method: "CUDA query",
  provenAt,
  idleMicrowatts: watts(50),
  tdpMicrowatts: watts(450),
  utilisationBps: 8_000,
  deviceId: "RTX4090-1",
};
const grid: GridProof = {
  kind: "grid",
  method: "utility API",
  provenAt,
  allocatedMicrowatts: watts(1_000),
  meterId: "ABC",
  accountId: "42",
  peakFactorBps: 9_000,
};
const human: HumanProof = {
  kind: "human",
  method: "work history",
  provenAt,
  metabolicMicrowatts: watts(100),
  minutesPerDay: 480,
  skillBps: 20_000,
  laborerId: "123",
};
const battery: BatteryProof = {
  kind: "battery",
  method: "charge controller",
  provenAt,
  maxDischargeMicrowatts: watts(250),
  chargeMicrowattHours: 500_000n,
  capacityMicrowattHours: 1_000_000n,
  serial: "B1",
};

describe("a capacity proof", () => {
  it.each<[string, CapacityProof, number, string]>([
    ["solar: rated 300 W at 95 %", solar, 285, "solar:XYZ"],
    ["compute: 50 W idle, 450 W at 80 %", compute, 370, "compute:RTX4090-1"],
    ["grid: what is allocated", grid, 1_000, "grid:ABC"],
    ["human: 100 W at skill 2", human, 200, "human:123"],
    ["battery: its greatest discharge", battery, 250, "battery:B1"],
  ])("vouches for power (%s)", (_, proof, effective, sourceId) => {
    expect(effectiveMicrowattsDown(proof)).toBe(watts(effective));
    expect(sourceIdOf(proof)).toBe(sourceId);
  });

  it("rounds its power down", () => {
    expect(effectiveMicrowattsDown({ ...solar, ratedMicrowatts: 3n, degradationBps: 5_000 })).toBe(1n);
  });

  it.each<[CapacityProof, number]>([
    [solar, 30 * 24],
    [compute, 24],
    [grid, 7 * 24],
    [human, 24],
    [battery, 1],
  ])("of %o no longer holds at exactly its age", (proof, hours) => {
    const end = provenAt + hours * 3_600_000;
    expect(lapsesAt(proof)).toBe(end);
    expect(isFresh(proof, end - 1)).toBe(true);
    expect(isFresh(proof, end)).toBe(false);
    expect(() => requireValidProof(proof, end - 1)).not.toThrow();
    expect(() => requireValidProof(proof, end)).toThrow(
      expect.objectContaining({ code: "CAPACITY_PROOF_INVALID" }),
    );
  });

  it.each<[string, CapacityProof]>([
    ["ratedMicrowatts", { ...solar, ratedMicrowatts: 0n }],
    ["degradationBps", { ...solar, degradationBps: 4_999 }],
    ["degradationBps", { ...solar, degradationBps: 10_001 }],
    ["serial", { ...solar, serial: " " }],
    ["tdpMicrowatts", { ...compute, tdpMicrowatts: 0n, idleMicrowatts: 0n }],
    ["idleMicrowatts", { ...compute, idleMicrowatts: watts(451) }],
    ["idleMicrowatts", { ...compute, idleMicrowatts: -1n }],
    ["utilisationBps", { ...compute, utilisationBps: 10_001 }],
    ["utilisationBps", { ...compute, utilisationBps: 0.5 }],
    ["deviceId", { ...compute, deviceId: "" }],
    ["allocatedMicrowatts", { ...grid, allocatedMicrowatts: -1n }],
    ["meterId", { ...grid, meterId: "" }],
    ["accountId", { ...grid, accountId: "" }],
    ["peakFactorBps", { ...grid, peakFactorBps: 10_001 }],
    ["metabolicMicrowatts", { ...human, metabolicMicrowatts: watts(50) - 1n }],
    ["metabolicMicrowatts", { ...human, metabolicMicrowatts: watts(200) + 1n }],
    ["minutesPerDay", { ...human, minutesPerDay: 961 }],
    ["skillBps", { ...human, skillBps: 4_999 }],
    ["skillBps", { ...human, skillBps: 100_001 }],
    ["laborerId", { ...human, laborerId: "" }],
    ["maxDischargeMicrowatts", { ...battery, maxDischargeMicrowatts: 0n }],
    ["capacityMicrowattHours", { ...battery, capacityMicrowattHours: 0n, chargeMicrowattHours: 0n }],
    ["chargeMicrowattHours", { ...battery, chargeMicrowattHours: 1_000_001n }],
    ["serial", { ...battery, serial: "" }],
    ["provenAt", { ...solar, provenAt: provenAt + 1 }],
  ])("is refused for its %s", (field, proof) => {
    const check = () => requireValidProof(proof, provenAt);
    expect(check).toThrow(BursarError);
    try {
      check();
    } catch (error) {
      expect(error).toMatchObject({ code: "CAPACITY_PROOF_INVALID", fields: [{ field }] });
    }
  });

  it.each([
    { ...solar, degradationBps: 5_000 },
    { ...solar, degradationBps: 10_000 },
    { ...compute, idleMicrowatts: watts(450) },
    { ...human, minutesPerDay: 960, skillBps: 100_000, metabolicMicrowatts: watts(200) },
    { ...human, minutesPerDay: 0, skillBps: 5_000, metabolicMicrowatts: watts(50) },
    { ...battery, chargeMicrowattHours: 0n },
  ])("holds at the edge of its rules: %o", (proof) => {
    expect(() => requireValidProof(proof, provenAt)).not.toThrow();
  });
});
