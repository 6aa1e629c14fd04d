import type { LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import { changed, type Lot, type LotChange, release, spoil } from "./pool.ts";
import { releaseOperations, spoilLotOperation } from "./postings.ts";
import type { Held, Ticket } from "./ticket.ts";

/** Tickets that give back what they hold, and the lots as that leaves them. */
export interface GivenBack {
  changes: LotChange[];
  operations: LedgerOperation[];
  lots: Map<string, readonly Lot[]>;
}

/** Releases what tickets hold into the lots that it came from; what has spoiled meanwhile goes to expired. */
export function giveBack(
  tickets: readonly Ticket[],
  holds: ReadonlyMap<string, Held>,
  before: ReadonlyMap<string, readonly Lot[]>,
  now: number,
): GivenBack {
  const lots = new Map(before);
  const released = tickets.map((ticket) => {
    const ofSociety = lots.get(ticket.society) ?? [];
    const { draws = [], holdId = "" } = holds.get(ticket.id) ?? {};
    const changes = release(ofSociety, draws, now);
    lots.set(ticket.society, changed(ofSociety, changes));
    return { ticket, holdId, changes };
  });
  return {
    lots,
    changes: released.flatMap(({ changes }) => changes),
    operations: released.flatMap(({ ticket, holdId, changes }) =>
      releaseOperations(
        ticket.id,
        ticket.society,
        holdId,
        changes.reduce((sum, { expired }) => sum + expired, 0n),
      ),
    ),
  };
}

/** Moves what is past its expiry in the lots of every society to expired. */
export function spoilAll(
  lots: ReadonlyMap<string, readonly Lot[]>,
  now: number,
): { changes: LotChange[]; operations: LedgerOperation[] } {
  const spoiled = [...lots].map(([society, held]) => ({ society, changes: spoil(held, now) }));
  return {
    changes: spoiled.flatMap(({ changes }) => changes),
    operations: spoiled.flatMap(({ society, changes }) =>
      changes.map(({ lotId, expired }) => spoilLotOperation(society, lotId, expired)),
    ),
  };
}
