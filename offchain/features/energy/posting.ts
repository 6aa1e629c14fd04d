import { BursarError } from "#offchain/core/error.ts";
import type { LedgerOperation, Transfer } from "#offchain/features/ledger/rules/transfer.ts";
import type { LedgerWithin } from "#offchain/features/ledger/service.ts";
import type { Tx } from "#offchain/platform/database/database.ts";

/**
 * Applies operations inside the transaction; all must succeed, because the lots were locked and checked before.
 * @throws BursarError the first refusal, which rolls the transaction back: the ledger is the last word.
 */
export async function post(
  ledger: LedgerWithin,
  tx: Tx,
  operations: readonly LedgerOperation[],
  now: number,
): Promise<Transfer[]> {
  if (operations.length === 0) return [];
  const outcomes = await ledger.applyWithin(tx, operations, now);
  const refusals = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
  // Of a linked group, the one that failed by itself says why.
  const reason = refusals.find(({ code }) => code !== "TRANSFER_LINK_FAILED") ?? refusals[0];
  if (reason) throw reason;
  return outcomes.flatMap((outcome, index) => {
    if (!outcome.ok) return [];
    if (outcome.replayed)
      throw new BursarError("IDEMPOTENCY_CONFLICT", "the ledger knows this movement, but the pool does not", {
        facts: { key: operations[index]?.key },
      });
    return outcome.transfer;
  });
}
