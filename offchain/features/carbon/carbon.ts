import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Carbon } from "./service.ts";
import { readFootprints, readTotals, recordFootprints, summarise } from "./store.ts";

/** What completed work emitted: each footprint as it is completed, and summaries read from running totals. */
export function openCarbon(sql: Sql, clock: Clock): Carbon {
  return {
    record: recordFootprints,
    footprints: (ticketIds, tx = sql) => readFootprints(tx, ticketIds),
    totals: () => readTotals(sql),
    summary: (query) => summarise(sql, query, clock.now()),
  };
}
