import { BursarError } from "#offchain/domain/error.ts";
import type { LedgerOperation, Transfer } from "#offchain/domain/ledger.ts";
import type { Transaction } from "../database.ts";
import { applyOperations } from "../ledger.ts";

/**
 * Applies operations inside the transaction; all must succeed, because the lots were locked and checked before.
 * @throws BursarError the first refusal, which rolls the transaction back: the ledger is the last word.
 */
export async function post(
  tx: Transaction,
  operations: readonly LedgerOperation[],
  now: number,
): Promise<Transfer[]> {
  if (operations.length === 0) return [];
  const outcomes = await applyOperations(tx, operations, now);
  return outcomes.map((outcome, index) => {
    if (!outcome.ok) throw outcome.error;
    if (outcome.replayed)
      throw new BursarError("IDEMPOTENCY_CONFLICT", "the ledger knows this movement, but the pool does not", {
        facts: { key: operations[index]?.key },
      });
    return outcome.transfer;
  });
}
