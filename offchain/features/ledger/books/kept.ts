import type { Tx } from "#offchain/platform/database/database.ts";
import type { LedgerOperation } from "../rules.ts";
import type { KeptBooks, LedgerOutcome } from "../service.ts";
import { takeLedger } from "../store/write.ts";
import { applyTaken } from "./apply.ts";
import { Books } from "./books.ts";

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
