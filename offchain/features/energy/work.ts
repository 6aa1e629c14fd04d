import { randomUUID } from "node:crypto";
import type { Tx } from "#offchain/platform/database/database.ts";
import { post } from "./posting.ts";
import { decideAllocations } from "./rules/allocation.ts";
import { type Completed, decideCompletions, type FactorOf } from "./rules/completion.ts";
import { type Lot, type LotChange, type LotRecord, reserve } from "./rules/pool.ts";
import { holdOperation } from "./rules/postings.ts";
import { giveBack, spoilAll } from "./rules/spoilage.ts";
import {
  type Completion,
  keyOf,
  requireOpen,
  type Ticket,
  type TicketOutcome,
  type TicketRequest,
  ticketUnknown,
  withFootprint,
} from "./rules/ticket.ts";
import type { EnergyNeeds, Spoilage } from "./service.ts";
import { changeLots, openLotsOf, spoiledLots } from "./store/lots.ts";
import { lockSocieties } from "./store/society.ts";
import {
  findTickets,
  heldBy,
  insertTickets,
  overdueTickets,
  resolveTickets,
  takenKeys,
} from "./store/tickets.ts";

/**
 * Work on tickets, each call in the caller's transaction and in one order: it locks the societies, reads what they have,
 * decides by the rules, posts to the ledger, and writes lots and tickets.
 */

/** Reserves ATP for each request in turn; a request that fails leaves the others alone. */
export async function allocateMany(
  needs: EnergyNeeds,
  tx: Tx,
  requests: readonly TicketRequest[],
  now: number,
): Promise<TicketOutcome[]> {
  const societies = await lockSocieties(
    tx,
    requests.map(({ society }) => society),
  );
  const taken = await takenKeys(tx, requests);
  const earlier = await ticketsById(needs, tx, [...taken.values()]);
  const { outcomes, reservations } = decideAllocations(
    {
      societies: new Set(societies.keys()),
      answered: new Map([...earlier.values()].map((ticket) => [keyOf(ticket), ticket])),
      lots: await openLotsOf(tx, [...societies.keys()]),
    },
    requests,
    randomUUID,
    now,
  );
  if (reservations.length === 0) return outcomes;
  const holds = await post(
    needs.ledger,
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
  return outcomes;
}

/** Discharges each completed ticket in turn; a refused completion leaves the others alone. */
export async function completeMany(
  needs: EnergyNeeds,
  tx: Tx,
  completions: readonly Completion[],
  factorOf: FactorOf,
  now: number,
): Promise<TicketOutcome[]> {
  const ids = completions.map(({ ticketId }) => ticketId);
  const tickets = await lockTickets(needs, tx, ids);
  const held = await heldBy(tx, ids);
  const lots = await openLotsOf(
    tx,
    [...tickets.values()].map(({ society }) => society),
  );
  const { outcomes, done, operations } = decideCompletions(
    { tickets, held, lots },
    completions,
    factorOf,
    now,
  );
  if (done.length === 0) return outcomes;
  await post(needs.ledger, tx, operations, now);
  await changeLots(
    tx,
    done.flatMap(({ changes }) => changes),
  );
  await resolveTickets(
    tx,
    done.map(({ ticket, completion, credit }) => ({
      id: ticket.id,
      state: "completed",
      reason: null,
      actualMs: completion.durationMs,
      qualityBps: completion.qualityBps,
      credit,
    })),
    now,
  );
  await needs.carbon.record(tx, done.map(footprintOf), now);
  return outcomes;
}

const footprintOf = ({ ticket, footprint, consumed }: Completed) => ({
  ...footprint,
  ticketId: ticket.id,
  worker: ticket.worker,
  region: ticket.region,
  computeType: ticket.computeType,
  atp: consumed,
});

/** Gives up one ticket. @throws BursarError TICKET_UNKNOWN, TICKET_CLOSED. */
export async function failTicket(
  needs: EnergyNeeds,
  tx: Tx,
  id: string,
  reason: string,
  now: number,
): Promise<{ ticket: Ticket; replayed: boolean }> {
  const ticket = (await lockTickets(needs, tx, [id])).get(id);
  if (!ticket) throw ticketUnknown(id);
  if (ticket.state === "failed" && ticket.reason === reason) return { ticket, replayed: true };
  requireOpen(ticket, now);
  const lots = await openLotsOf(tx, [ticket.society]);
  await close(needs, tx, [ticket], lots, { state: "failed", reason }, now);
  return { ticket: { ...ticket, state: "failed", reason, resolvedAt: now }, replayed: false };
}

/** One pass: up to `limit` overdue tickets, then up to as many lots, each in the order of their age. */
export async function spoilPass(needs: EnergyNeeds, tx: Tx, limit: number, now: number): Promise<Spoilage> {
  const due = await overdueTickets(tx, now, limit);
  const past = await spoiledLots(tx, now, limit);
  const societies = await lockSocieties(
    tx,
    [...due, ...past].map(({ society }) => society),
  );
  const lots = await openLotsOf(tx, [...societies.keys()]);
  const current = await ticketsById(
    needs,
    tx,
    due.map(({ id }) => id),
  );
  // Between the look and the lock, another instance may have resolved some.
  const overdue = [...current.values()].filter(({ state }) => state === "allocated");
  const given = await close(needs, tx, overdue, lots, { state: "expired", reason: null }, now);
  const spoiled = spoilAll(given.lots, now);
  await post(needs.ledger, tx, spoiled.operations, now);
  const stood = new Map((await changeLots(tx, spoiled.changes)).map((lot) => [lot.id, lot]));
  for (const lot of given.stood) if (!stood.has(lot.id)) stood.set(lot.id, lot);
  const changes = [...given.changes, ...spoiled.changes].filter(({ expired }) => expired > 0n);
  const spoiledIds = new Set(changes.map(({ lotId }) => lotId));
  return {
    lots: [...stood.values()].filter(({ id }) => spoiledIds.has(id)),
    tickets: overdue.map((ticket) => ({ ...ticket, state: "expired", resolvedAt: now })),
    expired: changes.reduce((sum, { expired }) => sum + expired, 0n),
    isDone: due.length < limit && past.length < limit,
  };
}

/** Releases what tickets hold and closes them. @returns the lots after it, and as the tables then hold those that changed */
async function close(
  needs: EnergyNeeds,
  tx: Tx,
  tickets: readonly Ticket[],
  lots: ReadonlyMap<string, readonly Lot[]>,
  resolution: { state: "failed" | "expired"; reason: string | null },
  now: number,
): Promise<{ changes: LotChange[]; lots: ReadonlyMap<string, readonly Lot[]>; stood: LotRecord[] }> {
  if (tickets.length === 0) return { changes: [], lots, stood: [] };
  const ids = tickets.map(({ id }) => id);
  const given = giveBack(tickets, await heldBy(tx, ids), lots, now);
  await post(needs.ledger, tx, given.operations, now);
  const stood = await changeLots(tx, given.changes);
  await resolveTickets(
    tx,
    ids.map((id) => ({ id, ...resolution, actualMs: null, qualityBps: null, credit: null })),
    now,
  );
  return { changes: given.changes, lots: given.lots, stood };
}

/** Tickets with the footprints of those whose work is done. */
export async function ticketsById(
  { carbon }: Pick<EnergyNeeds, "carbon">,
  tx: Tx,
  ids: readonly string[],
): Promise<Map<string, Ticket>> {
  const stored = await findTickets(tx, ids);
  const completed = stored.flatMap(({ id, reported }) => (reported ? [id] : []));
  const footprints = completed.length === 0 ? new Map() : await carbon.footprints(completed, tx);
  return new Map(stored.map((ticket) => [ticket.id, withFootprint(ticket, footprints.get(ticket.id))]));
}

/** Locks the tickets' societies and reads the tickets as they then stand. */
async function lockTickets(needs: EnergyNeeds, tx: Tx, ids: readonly string[]): Promise<Map<string, Ticket>> {
  const seen = await findTickets(tx, ids);
  await lockSocieties(
    tx,
    seen.map(({ society }) => society),
  );
  return ticketsById(needs, tx, ids);
}
