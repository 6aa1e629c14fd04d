import { BursarError } from "#offchain/core/error.ts";
import { energyOf, loadOf } from "#offchain/features/carbon/rules/footprint.ts";
import { changed, type Draw, drawEnergy, type Lot, reserve } from "./pool.ts";
import { keyReused, unknownSociety } from "./society.ts";
import { isSameRequest, keyOf, type Ticket, type TicketOutcome, type TicketRequest } from "./ticket.ts";

/** What the societies of a batch of requests have at the moment. */
export interface AllocationPool {
  /** Of the requests' societies, those that exist. */
  societies: ReadonlySet<string>;
  /** Tickets that were made before with the requests' keys, by {@link keyOf}. */
  answered: ReadonlyMap<string, Ticket>;
  /** Open lots by society. */
  lots: ReadonlyMap<string, readonly Lot[]>;
}

/** A new ticket with what it draws; the ledger has not held it yet. */
export interface Reservation {
  ticket: Ticket;
  draws: readonly Draw[];
}

/** Reserves ATP for each request in turn; a request that fails leaves the others alone. @param newId a UUID */
export function decideAllocations(
  pool: AllocationPool,
  requests: readonly TicketRequest[],
  newId: () => string,
  now: number,
): { outcomes: TicketOutcome[]; reservations: Reservation[] } {
  const answered = new Map(pool.answered);
  const lots = new Map(pool.lots);
  const reservations: Reservation[] = [];
  const outcomes = requests.map((request): TicketOutcome => {
    const { society } = request;
    if (!pool.societies.has(society)) return { ok: false, error: unknownSociety(society) };
    const before = answered.get(keyOf(request));
    if (before)
      return isSameRequest(before, request)
        ? { ok: true, ticket: before, replayed: true }
        : { ok: false, error: keyReused(society, request.key) };
    try {
      const ofSociety = lots.get(society) ?? [];
      const reservation = reservationOf(request, ofSociety, newId(), now);
      lots.set(society, changed(ofSociety, reserve(reservation.draws)));
      answered.set(keyOf(request), reservation.ticket);
      reservations.push(reservation);
      return { ok: true, ticket: reservation.ticket, replayed: false };
    } catch (error) {
      if (error instanceof BursarError) return { ok: false, error };
      throw error;
    }
  });
  return { outcomes, reservations };
}

function reservationOf(request: TicketRequest, lots: readonly Lot[], id: string, now: number): Reservation {
  const { timeoutMs, ...described } = request;
  const energyMillijoules = energyOf(loadOf({ ...request, durationMs: BigInt(request.durationMs) }));
  const draws = drawEnergy(lots, energyMillijoules, now);
  return {
    draws,
    ticket: {
      ...described,
      id,
      state: "allocated",
      reserved: draws.reduce((sum, { amount }) => sum + amount, 0n),
      createdAt: now,
      deadlineAt: now + timeoutMs,
      resolvedAt: null,
      reason: null,
      result: null,
    },
  };
}
