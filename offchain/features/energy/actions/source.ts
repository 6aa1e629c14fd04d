import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { epochMs, text } from "#offchain/core/schema.ts";
import { type CapacityProof, capacityKinds } from "../rules/capacity.ts";
import { basisPoints, presentWatts, societyId, watts } from "../schema.ts";
import type { Energy } from "../service.ts";
import { requireOwner } from "./access.ts";

const name = z.string().regex(/^[\w.:-]{1,100}$/, "must be 1 to 100 letters, digits and _ . : -");
const proven = {
  method: text(200).min(1).describe("How it was established, such as a meter's API"),
  provenAt: epochMs,
};

const proofInput = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("solar"),
    ...proven,
    ratedWatts: watts,
    degradationBps: basisPoints.describe("What is left of the rated power: 5000 to 10 000"),
    serial: name,
  }),
  z.object({
    kind: z.literal("compute"),
    ...proven,
    idleWatts: watts,
    tdpWatts: watts,
    utilisationBps: basisPoints,
    deviceId: name,
  }),
  z.object({
    kind: z.literal("grid"),
    ...proven,
    allocatedWatts: watts,
    meterId: name,
    accountId: name,
    peakFactorBps: basisPoints,
  }),
  z.object({
    kind: z.literal("human"),
    ...proven,
    metabolicWatts: watts.prefault("100"),
    minutesPerDay: z.int(),
    skillBps: z.int().describe("5000 to 100 000: half to ten times an untrained hand"),
    laborerId: name,
  }),
  z.object({
    kind: z.literal("battery"),
    ...proven,
    maxDischargeWatts: watts,
    chargeWattHours: watts.describe("Watt-hours, a decimal string with up to six decimals"),
    capacityWattHours: watts.describe("Watt-hours, a decimal string with up to six decimals"),
    serial: name,
  }),
]);

/** Files evidence of capacity; the newest proof of a source counts. */
export const registerSource = action({
  name: "energy.source",
  summary: "Prove a source of capacity, or renew its proof",
  effect: "write",
  resource: "/api/v1/energy/sources",
  role: "agent",
  input: z.object({ society: societyId, proof: proofInput }),
  output: z.object({
    id: z.string(),
    society: z.string(),
    kind: z.enum(capacityKinds),
    effectiveWatts: z.string(),
    provenAt: epochMs,
    lapsesAt: epochMs.describe("From then on the proof no longer holds"),
  }),
  async run(energy: Energy, caller, { society, proof }) {
    await requireOwner(energy, caller, society);
    const { source } = await energy.register(society, toProof(proof)).catch(namedAsSent);
    return {
      id: source.id,
      society: source.society,
      kind: source.kind,
      effectiveWatts: presentWatts(source.effectiveMicrowatts),
      provenAt: source.provenAt,
      lapsesAt: source.lapsesAt,
    };
  },
});

function toProof(input: z.output<typeof proofInput>): CapacityProof {
  switch (input.kind) {
    case "solar": {
      const { ratedWatts, ...rest } = input;
      return { ...rest, ratedMicrowatts: ratedWatts };
    }
    case "compute": {
      const { idleWatts, tdpWatts, ...rest } = input;
      return { ...rest, idleMicrowatts: idleWatts, tdpMicrowatts: tdpWatts };
    }
    case "grid": {
      const { allocatedWatts, ...rest } = input;
      return { ...rest, allocatedMicrowatts: allocatedWatts };
    }
    case "human": {
      const { metabolicWatts, ...rest } = input;
      return { ...rest, metabolicMicrowatts: metabolicWatts };
    }
    case "battery": {
      const { maxDischargeWatts, chargeWattHours, capacityWattHours, ...rest } = input;
      return {
        ...rest,
        maxDischargeMicrowatts: maxDischargeWatts,
        chargeMicrowattHours: chargeWattHours,
        capacityMicrowattHours: capacityWattHours,
      };
    }
  }
}

/** The rules speak of microwatts; the caller sent watts. */
function namedAsSent(error: unknown): never {
  if (!(error instanceof BursarError) || error.fields.length === 0) throw error;
  throw new BursarError(error.code, error.message, {
    facts: error.facts,
    fields: error.fields.map(({ field, message, value }) => {
      const isPower = field.includes("Microwatt");
      return {
        field: `proof.${field.replace("Microwatt", "Watt")}`,
        message,
        value: isPower ? presentWatts(BigInt(String(value))) : value,
      };
    }),
    cause: error,
  });
}
