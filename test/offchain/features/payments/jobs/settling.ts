import type { Reading } from "#offchain/core/reading.ts";
import { claimPayers } from "#offchain/features/payments/jobs/claimPayers.ts";
import { type SettleOptions, settle } from "#offchain/features/payments/jobs/settle.ts";
import type { Transactions } from "#offchain/platform/chain/port.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { type Books, bookedChainId, hex } from "../../../support/books.ts";

/** What a pass sees of the world. */
export interface Readings {
  gas: Reading | null;
  energy: Reading | null;
  nativePrice: bigint | null;
}

/** The sender's queue, of which nothing is sent; `simulate` decides what would work. */
export const senderOf = (
  books: Books,
  simulate: Transactions["simulate"] = () => Promise.resolve(),
): Pick<Transactions, "enqueueTx" | "enqueue" | "simulate"> => {
  const by = { chainId: bookedChainId, address: books.operator };
  const enqueueTx: Transactions["enqueueTx"] = (tx, request) =>
    enqueueTransaction(tx, by, request, books.now);
  return { enqueueTx, enqueue: (request) => books.sql.begin((tx) => enqueueTx(tx, request)), simulate };
};

const shared = (books: Books) => {
  const clock = { now: () => books.now };
  return {
    sql: books.sql,
    clock,
    log: createLog({ level: "silent", clock }),
    runId: () => books.runId,
    contracts: { settlement: hex(20), clearing: hex(20) },
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
    sender: senderOf(books),
    onBatch: () => {},
    ...change,
  });

/** Hands to the sender what payers signed for themselves. */
export const claimPass = (books: Books) => claimPayers({ ...shared(books), sender: senderOf(books) });
