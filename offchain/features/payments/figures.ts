import type { Sql } from "#offchain/platform/database/database.ts";
import { channelUnit } from "./rules/accounts.ts";
import type { Figures } from "./service.ts";
import {
  batchFigures,
  channelAccounts,
  directPayees,
  partyFigures,
  paymentFigures,
  recentBatches,
} from "./store/figures.ts";

/** Sums of a chain's payments, for pages. @param epoch the chain's current run */
export const openFigures = (sql: Sql, chainId: number, epoch: () => bigint): Figures => ({
  unit: channelUnit,
  payments: () => paymentFigures(sql, chainId),
  directPayees: () => directPayees(sql, chainId),
  batches: () => batchFigures(sql, { chainId, epochId: epoch() }),
  parties: () => partyFigures(sql, epoch()),
  channelAccounts: () => channelAccounts(sql, epoch()),
  recentBatches: (limit) => recentBatches(sql, chainId, limit),
});
