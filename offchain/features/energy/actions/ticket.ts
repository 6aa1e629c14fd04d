import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { presentTicket, ticketId, ticketOutput } from "../schema.ts";
import type { Energy } from "../service.ts";
import { requireTicket } from "./access.ts";

export const showTicket = action({
  name: "energy.ticket",
  summary: "Read a work ticket, with its footprint once it is completed",
  effect: "read",
  resource: "/api/v1/energy/tickets/{ticketId}",
  role: "anonymous",
  input: z.object({ ticketId }),
  output: ticketOutput,
  async run(energy: Energy, _caller, { ticketId }) {
    return presentTicket(await requireTicket(energy, ticketId));
  },
});
