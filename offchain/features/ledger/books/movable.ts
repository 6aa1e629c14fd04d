import { BursarError } from "#offchain/core/error.ts";
import { maxAmount } from "#offchain/core/unit.ts";
import { accountSuspended, balanceOverflow, insufficientFunds } from "./refusals.ts";
import type { AccountState } from "./state.ts";

/**
 * That the amount may leave one account and reach the other.
 * @param total What leaves the debited account in all, the amount and its fee.
 * @throws BursarError TRANSFER_SELF, ACCOUNT_SUSPENDED, BALANCE_OVERFLOW, INSUFFICIENT_FUNDS
 */
export function assertMovable(
  debit: AccountState,
  credit: AccountState,
  amount: bigint,
  total: bigint,
): void {
  if (debit === credit)
    throw new BursarError("TRANSFER_SELF", "debit and credit are the same account", {
      facts: { account: debit.name },
    });
  if (debit.suspended) throw accountSuspended(debit);
  if (credit.suspended) throw accountSuspended(credit);
  const available = debit.balance - debit.pending;
  if (debit.external) {
    if (available - total < -maxAmount) throw balanceOverflow(debit, available - total);
  } else if (available < total) throw insufficientFunds(debit, total, available);
  const reached = credit.balance + credit.incoming + amount;
  if (reached > maxAmount) throw balanceOverflow(credit, reached);
}
