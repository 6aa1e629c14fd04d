import type { Caller } from "#offchain/core/call/caller.ts";
import { BursarError } from "#offchain/core/error.ts";
import { type Society, unknownSociety } from "../rules/society.ts";
import { type Address, type Ticket, type TicketOutcome, ticketUnknown } from "../rules/ticket.ts";
import type { Energy } from "../service.ts";

/** Whether the caller is the operator or the society's owner. */
export const isOwner = (caller: Caller, { owner }: Pick<Society, "owner">): boolean =>
  caller.role === "operator" || (caller.role === "agent" && caller.address === owner);

/** @throws BursarError SOCIETY_UNKNOWN; FORBIDDEN unless the caller is the operator, the society's owner or in `also`. */
export async function requireOwner(
  energy: Energy,
  caller: Caller,
  societyId: string,
  also: readonly (Address | null)[] = [],
): Promise<Society> {
  const society = await energy.society(societyId);
  if (!society) throw unknownSociety(societyId);
  if (isOwner(caller, society)) return society;
  if (caller.role === "agent" && also.includes(caller.address)) return society;
  throw new BursarError("FORBIDDEN", "only the society's owner may do this; ask its owner or the operator", {
    facts: {
      society: societyId,
      owner: society.owner,
      caller: caller.role === "agent" ? caller.address : caller.role,
    },
  });
}

/** @throws BursarError TICKET_UNKNOWN. */
export async function requireTicket(energy: Energy, id: string): Promise<Ticket> {
  const [ticket] = await energy.tickets([id]);
  if (!ticket) throw ticketUnknown(id);
  return ticket;
}

/** The ticket of a batch of one. @throws its error. */
export function onlyTicket(outcomes: readonly TicketOutcome[]): Ticket {
  const [outcome] = outcomes;
  if (!outcome) throw new RangeError("a batch of one had no outcome");
  if (!outcome.ok) throw outcome.error;
  return outcome.ticket;
}
