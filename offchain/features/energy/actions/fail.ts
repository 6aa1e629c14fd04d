import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { text } from "#offchain/core/schema.ts";
import { presentTicket, ticketId, ticketOutput } from "../schema.ts";
import type { Energy } from "../service.ts";
import { requireOwner, requireTicket } from "./access.ts";

/** Gives reserved ATP back to the lots that it came from; what has spoiled meanwhile goes to expired. */
export const fail = action({
  name: "energy.fail",
  summary: "Give up a piece of work and return its ATP",
  effect: "write",
  resource: "/api/v1/energy/tickets/{ticketId}/failure",
  role: "agent",
  input: z.object({ ticketId, reason: text(500).min(1) }),
  output: ticketOutput,
  async run(energy: Energy, caller, { ticketId, reason }) {
    const { society, requester, worker } = await requireTicket(energy, ticketId);
    await requireOwner(energy, caller, society, [requester, worker]);
    return presentTicket((await energy.fail(ticketId, reason)).ticket);
  },
});
