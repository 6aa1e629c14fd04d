import type { Ledger, LedgerOutcome } from "#offchain/actions/ledger/port.ts";
import type { Clock } from "#offchain/domain/clock.ts";
import type { LedgerOperation } from "#offchain/domain/ledger.ts";
import type { Sql, Tx } from "./database.ts";
import { Books } from "./ledger/books.ts";
import { Lane } from "./ledger/lane.ts";
import { load, missing } from "./ledger/load.ts";
import { seal, takeLedger } from "./ledger/write.ts";
import { readAccounts, readEntries, readTransfer, readTrialBalance } from "./statements.ts";

/** Most operations in one transaction, and most that may wait for one. */
export const ledgerLimits = { maxGroup: 4_000, maxWaiting: 20_000 };

/** The ledger on PostgreSQL, with callers' operations gathered into shared durable transactions. */
export function openLedger(sql: Sql, clock: Clock): Ledger {
  const lane = new Lane(sql, clock, ledgerLimits);
  return {
    submit: (operations) => lane.submit(operations),
    account: async (name, unit) =>
      (await readAccounts(sql, [name])).find((account) => account.unit === unit) ?? null,
    accounts: (names) => readAccounts(sql, names),
    transfer: (id) => readTransfer(sql, id),
    entries: (query) => readEntries(sql, query),
    trialBalance: () => readTrialBalance(sql),
  };
}

/**
 * Applies operations in order inside the caller's transaction and says what became of each; holds the ledger until that
 * transaction ends. Accounts come into being with their first movement. Nothing is written for an operation that fails;
 * linked ones fail together.
 */
export async function applyOperations(
  tx: Tx,
  operations: readonly LedgerOperation[],
  now: number,
): Promise<LedgerOutcome[]> {
  if (operations.length === 0) return [];
  const books = new Books();
  await takeLedger(tx, books);
  const wanted = missing(books, operations, true);
  if (wanted) await load(tx, books, wanted);
  const draft = books.open(1, now);
  const outcomes = books.apply(operations);
  const sealed = seal(books, draft);
  if (!draft.isEmpty) await sealed.write(tx);
  return outcomes;
}
