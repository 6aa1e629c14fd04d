import { z } from "zod";
import { computeTypes } from "#offchain/domain/hardware.ts";
import { action } from "../action.ts";
import { address, epochMs, presentAtp } from "../energy/schema.ts";
import type { CarbonTotals } from "./port.ts";

const totals = {
  tickets: z.string().describe("Pieces of work"),
  atp: z.string(),
  energyMj: z.string(),
  co2Micrograms: z.string(),
  waterMicrolitres: z.string(),
};

export const summary = action({
  name: "carbon.summary",
  summary: "What completed work emitted: in all, by agent, region and hardware, and by hour of the last day",
  route: { method: "GET", path: "/api/v1/carbon" },
  role: "anonymous",
  input: z.object({
    agent: address.optional().describe("Only the work of this agent"),
    limit: z.coerce.number().int().min(1).max(200).default(50).describe("How many agents to list"),
  }),
  output: z.object({
    totals: z.object(totals),
    agents: z.array(z.object({ agent: z.string(), ...totals })),
    regions: z.array(z.object({ region: z.string(), ...totals })),
    hardware: z.array(z.object({ computeType: z.enum(computeTypes), ...totals })),
    hours: z.array(z.object({ startsAt: epochMs, ...totals })),
  }),
  async run(world, _caller, { agent, limit }) {
    const found = await world.carbon.summary({ limit, ...(agent === undefined ? {} : { agent }) });
    return {
      totals: present(found.totals),
      agents: found.agents.map((each) => ({ agent: each.agent, ...present(each) })),
      regions: found.regions.map((each) => ({ region: each.region, ...present(each) })),
      hardware: found.hardware.map((each) => ({ computeType: each.computeType, ...present(each) })),
      hours: found.hours.map((each) => ({ startsAt: each.startsAt, ...present(each) })),
    };
  },
});

const present = (sums: CarbonTotals) => ({
  tickets: sums.tickets.toString(),
  atp: presentAtp(sums.atp),
  energyMj: sums.energyMj.toString(),
  co2Micrograms: sums.co2Micrograms.toString(),
  waterMicrolitres: sums.waterMicrolitres.toString(),
});
