import { randomUUID } from "node:crypto";
import { BursarError } from "#offchain/core/error.ts";
import { energyOf, loadOf } from "#offchain/features/carbon/rules/footprint.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { changed, drawEnergy, type Lot, reserve } from "../rules/pool.ts";
import type { TicketOutcome, TicketRequest } from "../service.ts";
import { holdOperation } from "../rules/postings.ts";
import { changeLots, openLotsOf } from "./lots.ts";
import { post } from "./post.ts";
import { keyReused, lockSocieties, unknownSociety } from "./society.ts";
import { insertTickets, isSameRequest, keyOf, type Reservation, takenKeys, ticketsById } from "./tickets.ts";

/** Reserves ATP for each request in turn; a request that fails leaves the others alone. */
export async function allocateMany(
  tx: Tx,
  requests: readonly TicketRequest[],
  now: number,
): Promise<TicketOutcome[]> {
  const societies = await lockSocieties(
    tx,
    requests.map(({ society }) => society),
  );
  const taken = await takenKeys(tx, requests);
  const earlier = await ticketsById(tx, [...taken.values()]);
  const answered = new Map([...taken].map(([key, id]) => [key, earlier.get(id)]));
  const lots: Map<string, Lot[]> = await openLotsOf(tx, [...societies.keys()]);
  const reservations: Omit<Reservation, "holdId">[] = [];

  const outcomes = requests.map((request): TicketOutcome => {
    if (!societies.has(request.society)) return { ok: false, error: unknownSociety(request.society) };
    const before = answered.get(keyOf(request));
    if (before)
      return isSameRequest(before, request)
        ? { ok: true, ticket: before, replayed: true }
        : { ok: false, error: keyReused(request.society, request.key) };
    try {
      const reservation = reserveFor(request, lots.get(request.society) ?? [], now);
      lots.set(request.society, changed(lots.get(request.society) ?? [], reserve(reservation.draws)));
      answered.set(keyOf(request), reservation.ticket);
      reservations.push(reservation);
      return { ok: true, ticket: reservation.ticket, replayed: false };
    } catch (error) {
      if (error instanceof BursarError) return { ok: false, error };
      throw error;
    }
  });
  await store(tx, reservations, now);
  return outcomes;
}

function reserveFor(request: TicketRequest, lots: readonly Lot[], now: number): Omit<Reservation, "holdId"> {
  const { timeoutMs, ...described } = request;
  const energyMillijoules = energyOf(loadOf({ ...request, durationMs: BigInt(request.durationMs) }));
  const draws = drawEnergy(lots, energyMillijoules, now);
  return {
    draws,
    ticket: {
      ...described,
      id: randomUUID(),
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

async function store(
  tx: Tx,
  reservations: readonly Omit<Reservation, "holdId">[],
  now: number,
): Promise<void> {
  if (reservations.length === 0) return;
  const holds = await post(
    tx,
    reservations.map(({ ticket }) => holdOperation(ticket.id, ticket.society, ticket.reserved)),
    now,
  );
  await insertTickets(
    tx,
    reservations.map((reservation, index) => ({ ...reservation, holdId: holds[index]?.id ?? "" })),
  );
  await changeLots(
    tx,
    reservations.flatMap(({ draws }) => reserve(draws)),
  );
}
