import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, epochMs, integer, money, whole } from "#offchain/core/schema.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { computeTypes } from "../rules/hardware.ts";
import type { Carbon, CarbonTotals } from "../service.ts";

const totals = {
  /** Pieces of work. */
  tickets: integer,
  atp: money,
  energyMillijoules: integer,
  co2Micrograms: integer,
  waterMicrolitres: integer,
};

export const summarise = action({
  name: "carbon.summary",
  summary: "What completed work emitted: in all, by agent, region and hardware, and by hour of the last day",
  effect: "read",
  resource: "/api/v1/carbon",
  role: "anonymous",
  input: z.object({
    agent: address.optional().describe("Only the work of this agent"),
    limit: whole(1, 200).default(50).describe("How many agents to list"),
  }),
  output: z.object({
    totals: z.object(totals),
    agents: z.array(z.object({ agent: address, ...totals })),
    regions: z.array(z.object({ region: z.string(), ...totals })),
    hardware: z.array(z.object({ computeType: z.enum(computeTypes), ...totals })),
    hours: z.array(z.object({ startsAt: epochMs, ...totals })),
  }),
  async run(carbon: Carbon, _caller, { agent, limit }) {
    const found = await carbon.summary({ limit, ...(agent === undefined ? {} : { agent }) });
    return {
      totals: presentTotals(found.totals),
      agents: found.agents.map((each) => ({ agent: each.agent, ...presentTotals(each) })),
      regions: found.regions.map((each) => ({ region: each.region, ...presentTotals(each) })),
      hardware: found.hardware.map((each) => ({ computeType: each.computeType, ...presentTotals(each) })),
      hours: found.hours.map((each) => ({ startsAt: each.startsAt, ...presentTotals(each) })),
    };
  },
});

const presentTotals = (sums: CarbonTotals) => ({
  tickets: sums.tickets.toString(),
  atp: { amount: formatAmount(sums.atp, "ATP"), unit: "ATP" as const },
  energyMillijoules: sums.energyMillijoules.toString(),
  co2Micrograms: sums.co2Micrograms.toString(),
  waterMicrolitres: sums.waterMicrolitres.toString(),
});
