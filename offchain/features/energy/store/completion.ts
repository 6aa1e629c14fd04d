import { BursarError } from "#offchain/core/error.ts";
import type { MassFactor, Region } from "#offchain/features/carbon/rules/region.ts";
import { type Footprint, footprintOf, loadOf } from "#offchain/features/carbon/rules/footprint.ts";
import { recordFootprints } from "#offchain/features/carbon/store.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import {
  changed,
  creditDown,
  type Discharge,
  discharge,
  type Lot,
  type LotChange,
  settle,
} from "../rules/pool.ts";
import type { Completion, Ticket, TicketOutcome } from "../service.ts";
import { completeOperations } from "../rules/postings.ts";
import { changeLots, openLotsOf } from "./lots.ts";
import { post } from "./post.ts";
import { lockSocieties } from "./society.ts";
import { type Held, heldBy, resolveTickets, ticketsById } from "./tickets.ts";

/** The grid's intensity in a region now. */
export type FactorOf = (region: Region) => MassFactor;

const nothing: Held = { holdId: "", draws: [] };

interface Completing {
  ticket: Ticket;
  completion: Completion;
  held: Held;
}

interface Completed extends Completing {
  footprint: Footprint;
  split: Discharge;
  changes: LotChange[];
  consumed: bigint;
  credit: bigint;
}

/** Locks the tickets' societies and reads the tickets as they then stand. */
export async function lockTickets(tx: Tx, ids: readonly string[]): Promise<Map<string, Ticket>> {
  const seen = await ticketsById(tx, ids);
  await lockSocieties(
    tx,
    [...seen.values()].map(({ society }) => society),
  );
  return await ticketsById(tx, ids);
}

/** Discharges each completed ticket in turn; a refused completion leaves the others alone. */
export async function completeMany(
  tx: Tx,
  completions: readonly Completion[],
  factorOf: FactorOf,
  now: number,
): Promise<TicketOutcome[]> {
  const ids = completions.map(({ ticketId }) => ticketId);
  const tickets = await lockTickets(tx, ids);
  const held = await heldBy(tx, ids);
  const lots: Map<string, Lot[]> = await openLotsOf(
    tx,
    [...tickets.values()].map(({ society }) => society),
  );
  const done: Completed[] = [];

  const outcomes = completions.map((completion): TicketOutcome => {
    try {
      const ticket = requireOpenTicket(tickets, completion.ticketId, completion, now);
      if (ticket.state === "completed") return { ok: true, ticket, replayed: true };
      const ofSociety = lots.get(ticket.society) ?? [];
      const completed = dischargeTicket(
        { ticket, completion, held: held.get(ticket.id) ?? nothing },
        ofSociety,
        factorOf(ticket.region),
        now,
      );
      lots.set(ticket.society, changed(ofSociety, completed.changes));
      tickets.set(ticket.id, withResult(completed, now));
      done.push(completed);
      return { ok: true, ticket: withResult(completed, now), replayed: false };
    } catch (error) {
      if (error instanceof BursarError) return { ok: false, error };
      throw error;
    }
  });
  await store(tx, done, lots, now);
  return outcomes;
}

/**
 * The ticket, open, or completed by the same completion.
 * @throws BursarError TICKET_UNKNOWN, TICKET_CLOSED, IDEMPOTENCY_CONFLICT.
 */
function requireOpenTicket(
  tickets: ReadonlyMap<string, Ticket>,
  id: string,
  completion: Completion,
  now: number,
): Ticket {
  const ticket = tickets.get(id);
  if (!ticket) throw new BursarError("TICKET_UNKNOWN", `no work ticket ${id}`, { facts: { ticketId: id } });
  if (ticket.result) {
    const { durationMs, qualityBps } = ticket.result;
    if (durationMs === completion.durationMs && qualityBps === completion.qualityBps) return ticket;
    throw new BursarError("IDEMPOTENCY_CONFLICT", "the ticket was completed with other figures", {
      facts: { ticketId: id, durationMs, qualityBps },
    });
  }
  if (ticket.state !== "allocated" || now > ticket.deadlineAt) throw closedTicket(ticket, now);
  return ticket;
}

export const closedTicket = (ticket: Ticket, now: number): BursarError =>
  new BursarError("TICKET_CLOSED", "the ticket is no longer open; allocate a new one", {
    facts: { ticketId: ticket.id, state: ticket.state, deadlineAt: ticket.deadlineAt, now },
  });

function dischargeTicket(
  completing: Completing,
  lots: readonly Lot[],
  factor: MassFactor,
  now: number,
): Completed {
  const { ticket, completion, held } = completing;
  const { computeType, region, profile } = ticket;
  const load = loadOf({ computeType, region, profile, durationMs: BigInt(completion.durationMs) });
  const footprint = footprintOf(load, factor);
  const split = discharge(lots, held.draws, footprint.energyMillijoules, now);
  const consumed = [...split.used, ...split.overrun].reduce((sum, { amount }) => sum + amount, 0n);
  return {
    ...completing,
    footprint,
    split,
    changes: settle(lots, split, now),
    consumed,
    credit: creditDown(consumed, completion.qualityBps),
  };
}

const withResult = ({ ticket, completion, footprint, consumed, credit }: Completed, now: number): Ticket => ({
  ...ticket,
  state: "completed",
  resolvedAt: now,
  result: {
    durationMs: completion.durationMs,
    qualityBps: completion.qualityBps,
    creditAdp: credit,
    receipt: { ...footprint, ticketId: ticket.id, atp: consumed },
  },
});

async function store(
  tx: Tx,
  done: readonly Completed[],
  lots: ReadonlyMap<string, readonly Lot[]>,
  now: number,
): Promise<void> {
  if (done.length === 0) return;
  const sources = new Map([...lots.values()].flat().map((lot) => [lot.id, lot.sourceId]));
  const operations = done.flatMap(({ ticket, completion, held, footprint, split, changes }) =>
    completeOperations({
      ticketId: ticket.id,
      society: ticket.society,
      holdId: held.holdId,
      worker: ticket.worker,
      region: ticket.region,
      qualityBps: completion.qualityBps,
      co2Micrograms: footprint.co2Micrograms,
      used: split.used,
      overrun: split.overrun,
      spoiled: changes.reduce((sum, change) => sum + change.expired, 0n),
      sourceOf: (lotId) => sources.get(lotId) ?? "",
    }),
  );
  await post(tx, operations, now);
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
  await recordFootprints(
    tx,
    done.map(({ ticket, footprint, consumed }) => ({
      ...footprint,
      ticketId: ticket.id,
      worker: ticket.worker,
      region: ticket.region,
      computeType: ticket.computeType,
      atp: consumed,
    })),
    now,
  );
}
