import type { Reading } from "#offchain/core/reading.ts";
import { claimPayers } from "#offchain/features/payments/jobs/claimPayers.ts";
import { type SettleOptions, settle } from "#offchain/features/payments/jobs/settle.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { type Books, hex } from "../../../support/books.ts";

/** What a pass sees of the world. */
export interface Readings {
  gas: Reading | null;
  energy: Reading | null;
  nativePrice: bigint | null;
}

const shared = (books: Books) => {
  const clock = { now: () => books.now };
  return {
    sql: books.sql,
    clock,
    log: createLog({ level: "silent", clock }),
    chainId: 31337,
    runId: () => books.runId,
    settlement: hex(20),
  };
};

/** One pass of the job that settles. */
export const settlePass = (books: Books, world: Readings, change: Partial<SettleOptions>) =>
  settle({
    ...shared(books),
    policies: books.policies,
    market: {
      gas: async () => world.gas,
      energy: async () => world.energy,
      nativePrice: world.nativePrice,
    },
    sender: { sender: books.operator } as SettleOptions["sender"],
    onBatch: () => {},
    ...change,
  });

/** Hands to the sender what payers signed for themselves. */
export const claimPass = (books: Books) =>
  claimPayers({ ...shared(books), sender: { sender: books.operator } });
