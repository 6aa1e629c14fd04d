import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { requireOwner, requireTicket } from "./access.ts";
import { presentTicket, ticketId, ticketOutput } from "./schema.ts";

/** Gives reserved ATP back to the lots that it came from; what has spoiled meanwhile goes to expired. */
export const fail = action({
  name: "energy.fail",
  summary: "Give up a piece of work and return its ATP",
  route: { method: "POST", path: "/api/v1/energy/tickets/{ticketId}/failure" },
  role: "agent",
  input: z.object({ ticketId, reason: z.string().min(1).max(500) }),
  output: ticketOutput,
  async run(world, caller, { ticketId, reason }) {
    const { society, requester, worker } = await requireTicket(world.energy, ticketId);
    await requireOwner(world, caller, society, [requester, worker]);
    return presentTicket((await world.energy.fail(ticketId, reason)).ticket);
  },
});
