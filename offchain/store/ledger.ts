import type { Ledger, LedgerOutcome } from "#offchain/actions/ledger/port.ts";
import type { Clock } from "#offchain/domain/clock.ts";
import type { LedgerOperation } from "#offchain/domain/ledger.ts";
import type { Sql, Tx } from "./database.ts";
import { GroupCommit } from "./groupCommit.ts";
import { loadBooks, saveBooks } from "./ledgerRows.ts";
import { readAccounts, readEntries, readTransfer, readTrialBalance } from "./statements.ts";

/** Most operations in one transaction, and most that may wait for one. */
export const ledgerLimits = { maxGroup: 2_000, maxWaiting: 20_000 };

/** The ledger on PostgreSQL, with callers' operations gathered into shared durable transactions. */
export function openLedger(sql: Sql, clock: Clock): Ledger {
  const queue = new GroupCommit<LedgerOperation, LedgerOutcome>(
    (operations) =>
      sql.begin((tx) => applyOperations(tx, operations, clock.now())) as Promise<LedgerOutcome[]>,
    ledgerLimits,
  );
  return {
    submit: (operations) => queue.submit(operations),
    account: async (name, unit) =>
      (await readAccounts(sql, [name])).find((account) => account.unit === unit) ?? null,
    accounts: (names) => readAccounts(sql, names),
    transfer: (id) => readTransfer(sql, id),
    entries: (query) => readEntries(sql, query),
    trialBalance: () => readTrialBalance(sql),
  };
}

/**
 * Applies operations in order inside the caller's transaction and says what became of each. Accounts come into being
 * with their first movement. Nothing is written for an operation that fails; linked ones fail together.
 */
export async function applyOperations(
  tx: Tx,
  operations: readonly LedgerOperation[],
  now: number,
): Promise<LedgerOutcome[]> {
  if (operations.length === 0) return [];
  const books = await loadBooks(tx, operations, now);
  const outcomes = books.apply(operations);
  await saveBooks(tx, books);
  return outcomes;
}
