import { isWasteful, type LotRecord, passMax } from "./rules/pool.ts";
import type { Ticket } from "./rules/ticket.ts";
import type { Energy } from "./service.ts";

export interface Expiry {
  /** Lots of which something spoiled, as they then stood. */
  lots: LotRecord[];
  /** Overdue tickets whose ATP was given back. */
  tickets: Ticket[];
  /** µATP that spoiled. */
  expired: bigint;
  /** Of the lots, those of which more than 100 ATP has spoiled. */
  wasteful: LotRecord[];
}

/** Moves all ATP that spoiled and gives up all overdue work. Safe to run at any time, by any number of instances. */
export async function expire(energy: Pick<Energy, "expire">): Promise<Expiry> {
  const lots = new Map<string, LotRecord>();
  const tickets: Ticket[] = [];
  let expired = 0n;
  for (;;) {
    const pass = await energy.expire(passMax);
    for (const lot of pass.lots) lots.set(lot.id, lot);
    tickets.push(...pass.tickets);
    expired += pass.expired;
    if (pass.isDone) break;
  }
  const moved = [...lots.values()];
  return { lots: moved, tickets, expired, wasteful: moved.filter(isWasteful) };
}
