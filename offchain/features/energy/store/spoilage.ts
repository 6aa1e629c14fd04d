import { BursarError } from "#offchain/core/error.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { changed, type Lot, type LotChange, release, spoil } from "../rules/pool.ts";
import type { Spoilage, Ticket } from "../service.ts";
import { releaseOperations, spoilLotOperation } from "../rules/postings.ts";
import { closedTicket, lockTickets } from "./completion.ts";
import { changeLots, openLotsOf, spoiledLots } from "./lots.ts";
import { post } from "./post.ts";
import { lockSocieties } from "./society.ts";
import { heldBy, overdueTickets, resolveTickets, ticketsById } from "./tickets.ts";

/** Gives up one ticket. @throws BursarError TICKET_UNKNOWN, TICKET_CLOSED. */
export async function failTicket(
  tx: Tx,
  id: string,
  reason: string,
  now: number,
): Promise<{ ticket: Ticket; replayed: boolean }> {
  const ticket = (await lockTickets(tx, [id])).get(id);
  if (!ticket) throw new BursarError("TICKET_UNKNOWN", `no work ticket ${id}`, { facts: { ticketId: id } });
  if (ticket.state === "failed" && ticket.reason === reason) return { ticket, replayed: true };
  if (ticket.state !== "allocated" || now > ticket.deadlineAt) throw closedTicket(ticket, now);
  const lots: Map<string, Lot[]> = await openLotsOf(tx, [ticket.society]);
  await giveBack(tx, [ticket], lots, { state: "failed", reason }, now);
  return { ticket: { ...ticket, state: "failed", reason, resolvedAt: now }, replayed: false };
}

/** One pass: up to `limit` overdue tickets, then up to as many lots, each in the order of their age. */
export async function spoilPass(tx: Tx, limit: number, now: number): Promise<Spoilage> {
  const due = await overdueTickets(tx, now, limit);
  const past = await spoiledLots(tx, now, limit);
  const societies = await lockSocieties(
    tx,
    [...due, ...past].map(({ society }) => society),
  );
  const lots: Map<string, Lot[]> = await openLotsOf(tx, [...societies.keys()]);
  const current = await ticketsById(
    tx,
    due.map(({ id }) => id),
  );
  // Between the look and the lock, another instance may have resolved some.
  const overdue = [...current.values()].filter(({ state }) => state === "allocated");
  const ticketChanges = await giveBack(tx, overdue, lots, { state: "expired", reason: null }, now);
  const lotChanges = [...societies.keys()].flatMap((society) => spoil(lots.get(society) ?? [], now));
  const societyOf = new Map([...lots].flatMap(([society, held]) => held.map((lot) => [lot.id, society])));
  await post(
    tx,
    lotChanges.map(({ lotId, expired }) => spoilLotOperation(societyOf.get(lotId) ?? "", lotId, expired)),
    now,
  );
  const stood = new Map((await changeLots(tx, lotChanges)).map((lot) => [lot.id, lot]));
  for (const lot of ticketChanges.lots) if (!stood.has(lot.id)) stood.set(lot.id, lot);
  const changes = [...ticketChanges.changes, ...lotChanges].filter(({ expired }) => expired > 0n);
  const spoiledIds = new Set(changes.map(({ lotId }) => lotId));
  return {
    lots: [...stood.values()].filter(({ id }) => spoiledIds.has(id)),
    tickets: overdue.map((ticket) => ({ ...ticket, state: "expired", resolvedAt: now })),
    expired: changes.reduce((sum, { expired }) => sum + expired, 0n),
    isDone: due.length < limit && past.length < limit,
  };
}

/** Releases what tickets hold, updates `lots` in place of what it was, and closes the tickets. */
async function giveBack(
  tx: Tx,
  tickets: readonly Ticket[],
  lots: Map<string, Lot[]>,
  resolution: { state: "failed" | "expired"; reason: string | null },
  now: number,
): Promise<{ changes: LotChange[]; lots: Awaited<ReturnType<typeof changeLots>> }> {
  if (tickets.length === 0) return { changes: [], lots: [] };
  const holds = await heldBy(
    tx,
    tickets.map(({ id }) => id),
  );
  const released = tickets.map((ticket) => {
    const ofSociety = lots.get(ticket.society) ?? [];
    const { draws = [], holdId = "" } = holds.get(ticket.id) ?? {};
    const changes = release(ofSociety, draws, now);
    lots.set(ticket.society, changed(ofSociety, changes));
    return { ticket, holdId, changes };
  });
  await post(
    tx,
    released.flatMap(({ ticket, holdId, changes }) =>
      releaseOperations(
        ticket.id,
        ticket.society,
        holdId,
        changes.reduce((sum, { expired }) => sum + expired, 0n),
      ),
    ),
    now,
  );
  const changes = released.flatMap((each) => each.changes);
  const stood = await changeLots(tx, changes);
  await resolveTickets(
    tx,
    tickets.map(({ id }) => ({ id, ...resolution, actualMs: null, qualityBps: null, credit: null })),
    now,
  );
  return { changes, lots: stood };
}
