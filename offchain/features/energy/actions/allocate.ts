import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, idempotencyKey, text } from "#offchain/core/schema.ts";
import { profiles } from "#offchain/features/carbon/rules/footprint.ts";
import { computeTypes } from "#offchain/features/carbon/rules/hardware.ts";
import { regions } from "#offchain/features/carbon/rules/region.ts";
import { duration } from "#offchain/features/carbon/schema.ts";
import { defaultDeadlineMs } from "../rules/pool.ts";
import { presentTicket, societyId, ticketOutput } from "../schema.ts";
import type { Energy } from "../service.ts";
import { onlyTicket, requireOwner } from "./access.ts";

/** Reserves what the work is expected to take: its energy, priced by the lots that spoil first. */
export const allocate = action({
  name: "energy.allocate",
  summary: "Reserve ATP for a piece of work",
  effect: "write",
  resource: "/api/v1/energy/tickets",
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
    description: text(500).default(""),
    timeoutMs: duration.default(defaultDeadlineMs).describe("Milliseconds until unreported work is given up"),
  }),
  output: ticketOutput,
  async run(energy: Energy, caller, request) {
    await requireOwner(energy, caller, request.society);
    return presentTicket(onlyTicket(await energy.allocateMany([request])));
  },
});
