import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address, idempotencyKey } from "#offchain/app/schema.ts";
import { computeTypes } from "#offchain/features/carbon/hardware.ts";
import { regions } from "#offchain/features/carbon/region.ts";
import { profiles } from "#offchain/features/carbon/rules.ts";
import { defaultDeadlineMs } from "../rules.ts";
import { onlyTicket, requireOwner } from "./access.ts";
import { duration, presentTicket, societyId, ticketOutput } from "./schema.ts";

/** Reserves what the work is expected to take: its energy, priced by the lots that spoil first. */
export const allocate = action({
  name: "energy.allocate",
  summary: "Reserve ATP for a piece of work",
  route: { method: "POST", path: "/api/v1/energy/tickets" },
  role: "agent",
  input: z.object({
    key: idempotencyKey,
    society: societyId,
    worker: address.describe("Who does the work and bears its footprint"),
    requester: address.nullable().default(null).describe("For whom it is done; may judge it"),
    computeType: z.enum(computeTypes),
    durationMs: duration.describe("How long the work is expected to take, in milliseconds"),
    region: z.enum(regions).describe("Where the power comes from"),
    profile: z.enum(profiles).default("legacy"),
    description: z.string().max(500).default(""),
    timeoutMs: duration.default(defaultDeadlineMs).describe("Milliseconds until unreported work is given up"),
  }),
  output: ticketOutput,
  async run(world, caller, request) {
    await requireOwner(world, caller, request.society);
    return presentTicket(onlyTicket(await world.energy.allocateMany([request])));
  },
});
