import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { duration } from "#offchain/features/carbon/schema.ts";
import type { Ticket } from "../rules/ticket.ts";
import { basisPoints, presentTicket, ticketId, ticketOutput } from "../schema.ts";
import type { Energy } from "../service.ts";
import { isOwner, onlyTicket, requireOwner, requireTicket } from "./access.ts";

/**
 * Discharges what the work really took and records its footprint. Less than estimated: the rest returns to its lots, with
 * their expiry. More: the rest is drawn from the pool, for the society's owner alone, since the energy is its own and a
 * requester is anybody; if the pool lacks it, nothing moves and the ticket stays open.
 * A ticket is completed once: the same call again is answered alike, another is an IDEMPOTENCY_CONFLICT.
 */
export const complete = action({
  name: "energy.complete",
  summary: "Report work as done: discharge its ATP, credit its worker, record its footprint",
  effect: "write",
  resource: "/api/v1/energy/tickets/{ticketId}/completion",
  role: "agent",
  input: z.object({
    ticketId,
    durationMs: duration.describe("How long the work really took, in milliseconds"),
    qualityBps: basisPoints.default(10_000).describe("10 000 is flawless; scales the worker's credit"),
  }),
  output: ticketOutput,
  async run(energy: Energy, caller, completion) {
    const ticket = await requireTicket(energy, completion.ticketId);
    const society = await requireOwner(energy, caller, ticket.society, [ticket.requester]);
    if (!isOwner(caller, society) && completion.durationMs > ticket.durationMs)
      throw beyondReserved(ticket, completion.durationMs);
    return presentTicket(onlyTicket(await energy.completeMany([completion])));
  },
});

const beyondReserved = ({ id, durationMs, society }: Ticket, got: number) =>
  new BursarError(
    "FORBIDDEN",
    `durationMs: energy was reserved for ${durationMs} ms; only the society's owner may report more, which the pool pays`,
    {
      facts: { ticketId: id, society, reservedMs: durationMs, gotMs: got },
      fields: [{ field: "durationMs", message: `must be at most ${durationMs}`, value: String(got) }],
    },
  );
