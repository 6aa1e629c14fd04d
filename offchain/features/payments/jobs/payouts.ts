import { BursarError } from "#offchain/core/error.ts";
import type { FundedAccount, LedgerFigures } from "#offchain/features/ledger/service.ts";
import type { Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { payOutCall } from "../contract.ts";
import { payeeAccounts } from "../rules/accounts.ts";
import { purposes } from "../rules/purposes.ts";
import { type ChannelTokens, usdcUnit } from "../rules/tokens.ts";

export interface PayoutOptions {
  sql: Sql;
  ledger: Pick<LedgerFigures, "fundedWithin">;
  sender: Pick<Transactions, "simulate" | "enqueue">;
  /** The current chain run, or null before the chain is met. */
  runId: () => bigint | null;
  addresses: { batchSettlement: `0x${string}`; clearing: `0x${string}` };
  tokens: ChannelTokens;
}

/** A payout that failed on the chain is tried again, once in this time; one that is on its way is not. */
const againAfterMs = 600_000;

/** Payees and units looked at in one pass. */
const passSize = 200;

/**
 * A job that pays out what was claimed for payees and has not been paid to them, as soon as the token lets it. Begun anew
 * it pays nothing twice: the contract pays the difference between claimed and settled, and a payee's key is used once.
 * Each pass goes on where the one before it stopped: payees who cannot be paid hold up nobody behind them.
 * @returns one pass; it gives how many payouts were handed to the sender
 */
export function payOutHeld(options: PayoutOptions, size = passSize): () => Promise<number> {
  let after = 0n;
  return async () => {
    const runId = options.runId();
    if (runId === null) return 0;
    const units = options.tokens.all.map(({ unit }) => unit);
    const prefix = payeeAccounts(runId);
    const payees = await options.ledger.fundedWithin(options.sql, { prefix, units, after, limit: size });
    const paid = await payOut(
      options,
      payees.map((account) => ({ ...account, payee: account.name.slice(prefix.length) as `0x${string}` })),
    );
    after = payees.length < size ? 0n : (payees.at(-1)?.id ?? 0n);
    return paid;
  };
}

async function payOut(
  { sender, addresses, tokens }: PayoutOptions,
  payees: readonly (FundedAccount & { payee: `0x${string}` })[],
): Promise<number> {
  const { batchSettlement: to, clearing } = addresses;
  let paid = 0;
  for (const { payee, unit, entries } of payees) {
    // What Clearing has claimed it pays on by its epochs.
    if (payee === clearing.toLowerCase()) continue;
    const token = tokens.byUnit(unit);
    if (!token) continue;
    const data = payOutCall(payee, token.address);
    if (!(await works(sender, to, data))) continue;
    const of = unit === usdcUnit ? payee : `${unit}:${payee}`;
    const key = `payout:${of}:${entries}`;
    await sender.enqueue({ key, to, data, purpose: purposes.payout, isOnce: true, againAfterMs });
    paid += 1;
  }
  return paid;
}

async function works(
  sender: PayoutOptions["sender"],
  to: `0x${string}`,
  data: `0x${string}`,
): Promise<boolean> {
  try {
    await sender.simulate({ to, data });
    return true;
  } catch (error) {
    // A token whose transfer needs too much gas does not let this payee be paid either.
    if (
      error instanceof BursarError &&
      (error.code === "TRANSACTION_REVERTED" || error.code === "TRANSACTION_TOO_EXPENSIVE")
    )
      return false;
    throw error;
  }
}
