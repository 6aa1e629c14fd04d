import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Transactions } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { payOutCall } from "../contract.ts";
import { type ChannelTokens, usdcUnit } from "../rules/tokens.ts";
import { unpaidPayees } from "../store/payees.ts";

export interface PayoutOptions {
  sql: Sql;
  clock: Clock;
  sender: Pick<Transactions, "simulate" | "enqueue">;
  /** The current chain run, or null before the chain is met. */
  runId: () => bigint | null;
  addresses: { batchSettlement: `0x${string}`; clearing: `0x${string}` };
  tokens: ChannelTokens;
}

/** A payout that failed on the chain is tried again under another key, once in this time. */
const againAfterMs = 600_000;

/**
 * Pays out what was claimed for payees and has not been paid to them, as soon as the token lets it. Begun anew it pays
 * nothing twice: the contract pays the difference between claimed and settled, and a payee's key is used once.
 * @returns how many payouts were handed to the sender
 */
export async function payOutHeld(options: PayoutOptions): Promise<number> {
  const { sql, clock, sender, addresses, tokens } = options;
  const runId = options.runId();
  if (runId === null) return 0;
  const { batchSettlement: to, clearing } = addresses;
  const round = Math.floor(clock.now() / againAfterMs);
  let paid = 0;
  const units = tokens.all.map(({ unit }) => unit);
  for (const { payee, unit, entries } of await unpaidPayees(sql, runId, units)) {
    // What Clearing has claimed it pays on by its roots.
    if (payee === clearing.toLowerCase()) continue;
    const token = tokens.byUnit(unit);
    if (!token) continue;
    const data = payOutCall(payee, token.address);
    if (!(await works(sender, to, data))) continue;
    const of = unit === usdcUnit ? payee : `${unit}:${payee}`;
    await sender.enqueue({ key: `payout:${of}:${entries}:${round}`, to, data, purpose: "payee.settle" });
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
    if (error instanceof BursarError && error.code === "TRANSACTION_REVERTED") return false;
    throw error;
  }
}
