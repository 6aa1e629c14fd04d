import type { Tx } from "#offchain/platform/database/database.ts";
import { Books } from "./books/books.ts";
import { missing } from "./books/wanted.ts";
import type { LedgerOperation, LedgerOutcome } from "./rules/transfer.ts";
import type { KeptBooks } from "./service.ts";
import { load } from "./store/load.ts";
import { seal, takeLedger } from "./store/write.ts";

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
  return applyTaken(tx, books, operations, now);
}

/**
 * The same for a caller that has taken the ledger already and keeps its books from one transaction to the next. When the
 * transaction fails, the books say what never happened: they must be cleared.
 * @param areKeysNew no key was ever used, so none is looked for; else the database refuses the group (23505)
 */
export async function applyTaken(
  tx: Tx,
  books: Books,
  operations: readonly LedgerOperation[],
  now: number,
  areKeysNew = false,
): Promise<LedgerOutcome[]> {
  const wanted = missing(books, operations, !areKeysNew);
  if (wanted) await load(tx, books, wanted);
  const draft = books.open(1, now);
  const outcomes = books.apply(operations);
  const sealed = seal(books, draft);
  if (!draft.isEmpty) await sealed.write(tx);
  books.forget(draft);
  return outcomes;
}

/** One caller's books, for transactions of its own. */
export class KeptLedgerBooks implements KeptBooks {
  readonly #books = new Books();

  take(tx: Tx): Promise<void> {
    return takeLedger(tx, this.#books);
  }

  apply(
    tx: Tx,
    operations: readonly LedgerOperation[],
    now: number,
    areKeysNew: boolean,
  ): Promise<LedgerOutcome[]> {
    return applyTaken(tx, this.#books, operations, now, areKeysNew);
  }

  clear(): void {
    this.#books.clear();
  }
}
