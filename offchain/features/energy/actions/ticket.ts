import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { requireTicket } from "./access.ts";
import { presentTicket, ticketId, ticketOutput } from "./schema.ts";

export const showTicket = action({
  name: "energy.ticket",
  summary: "Read a work ticket, with its footprint once it is completed",
  route: { method: "GET", path: "/api/v1/energy/tickets/{ticketId}" },
  role: "anonymous",
  input: z.object({ ticketId }),
  output: ticketOutput,
  async run(world, _caller, { ticketId }) {
    return presentTicket(await requireTicket(world.energy, ticketId));
  },
});
