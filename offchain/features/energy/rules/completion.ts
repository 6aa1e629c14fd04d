import { BursarError } from "#offchain/core/error.ts";
import { type Footprint, footprintOf, loadOf } from "#offchain/features/carbon/rules/footprint.ts";
import type { MassFactor, Region } from "#offchain/features/carbon/rules/region.ts";
import type { LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import {
  applyDischarge,
  changed,
  creditDown,
  type Discharge,
  discharge,
  type Lot,
  type LotChange,
} from "./pool.ts";
import { completeOperations } from "./postings.ts";
import { type Completion, type Held, requireCompletable, type Ticket, type TicketOutcome } from "./ticket.ts";

/** The grid's intensity in a region now. */
export type FactorOf = (region: Region) => MassFactor;

/** What a batch of completions meets. */
export interface CompletionPool {
  tickets: ReadonlyMap<string, Ticket>;
  /** By ticket. */
  held: ReadonlyMap<string, Held>;
  /** Open lots by society. */
  lots: ReadonlyMap<string, readonly Lot[]>;
}

interface Completing {
  ticket: Ticket;
  completion: Completion;
  held: Held;
}

/** A ticket whose work is done: what it discharged, and what it emitted. */
export interface Completed extends Completing {
  footprint: Footprint;
  split: Discharge;
  changes: LotChange[];
  consumed: bigint;
  credit: bigint;
}

const nothing: Held = { holdId: "", draws: [] };

/** Discharges each completed ticket in turn; a refused completion leaves the others alone. */
export function decideCompletions(
  pool: CompletionPool,
  completions: readonly Completion[],
  factorOf: FactorOf,
  now: number,
): { outcomes: TicketOutcome[]; done: Completed[]; operations: LedgerOperation[] } {
  const tickets = new Map(pool.tickets);
  const lots = new Map(pool.lots);
  const done: Completed[] = [];
  const outcomes = completions.map((completion): TicketOutcome => {
    try {
      const ticket = requireCompletable(tickets.get(completion.ticketId), completion, now);
      if (ticket.state === "completed") return { ok: true, ticket, replayed: true };
      const ofSociety = lots.get(ticket.society) ?? [];
      const held = pool.held.get(ticket.id) ?? nothing;
      const completed = complete({ ticket, completion, held }, ofSociety, factorOf(ticket.region), now);
      const resolved = withResult(completed, now);
      lots.set(ticket.society, changed(ofSociety, completed.changes));
      tickets.set(ticket.id, resolved);
      done.push(completed);
      return { ok: true, ticket: resolved, replayed: false };
    } catch (error) {
      if (error instanceof BursarError) return { ok: false, error };
      throw error;
    }
  });
  return { outcomes, done, operations: operationsOf(done, pool.lots) };
}

function complete(completing: Completing, lots: readonly Lot[], factor: MassFactor, now: number): Completed {
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
    changes: applyDischarge(lots, split, now),
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

/** What completed tickets move on the ledger. */
function operationsOf(done: readonly Completed[], lots: CompletionPool["lots"]): LedgerOperation[] {
  const sources = new Map([...lots.values()].flat().map((lot) => [lot.id, lot.sourceId]));
  return done.flatMap(({ ticket, completion, held, footprint, split, changes }) =>
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
}
