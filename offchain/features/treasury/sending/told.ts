import { isAddressEqual } from "viem";
import type { Sql } from "#offchain/platform/database/database.ts";
import { paymentIn } from "../contract.ts";
import { paymentNonce, type SpendMessage } from "../messages.ts";
import type { SpendOutcome } from "../service.ts";
import { findPayment, type StoredPayment, wentToCall } from "../store/payments.ts";
import { proposedPayments } from "../store/proposals.ts";

type Address = `0x${string}`;

/** What became of spends, as the Treasuries' events tell it, whoever sent them. */
export interface ToldSpends {
  /** This very spend: its agent, token, recipient, amount and reference. Null: nothing of it is in the store. */
  find(treasury: Address, spend: SpendMessage): Promise<SpendOutcome | null>;
  /**
   * As `find`, once all that the chain has is in the store. `another`: its reference went to another payment, or a call. Null: the
   * events of the Treasury, which may have been adopted just now, tell of none.
   * @throws BursarError CHAIN_UNAVAILABLE when that takes too long
   */
  findNow(treasury: Address, spend: SpendMessage): Promise<SpendOutcome | "another" | null>;
}

export function openTold({
  sql,
  runId,
  caughtUp,
}: {
  sql: Sql;
  runId: () => bigint;
  /** Resolves once all that the chain has is in the store. */
  caughtUp: () => Promise<void>;
}): ToldSpends {
  async function look(treasury: Address, spend: SpendMessage): Promise<SpendOutcome | "another" | null> {
    const { agent: spender, reference } = spend;
    const at = { runId: runId(), treasury, spender, reference };
    const made = await findPayment(sql, at);
    if (made) return isOf(spend, made) ? paid(made.transaction) : "another";
    const opened = await proposedPayments(sql, at, paymentNonce(spender, reference));
    for (const { calls, openedBy, ...proposal } of opened) {
      const [call] = calls;
      const payment = call && calls.length === 1 ? paymentIn(call, treasury) : null;
      if (openedBy && payment && isOf(spend, payment)) return proposed(openedBy, proposal);
    }
    return opened.length > 0 || (await wentToCall(sql, at)) ? "another" : null;
  }

  return {
    async find(treasury, spend) {
      const found = await look(treasury, spend);
      return found === "another" ? null : found;
    },
    async findNow(treasury, spend) {
      await caughtUp();
      return look(treasury, spend);
    },
  };
}

export const paid = (transactionHash: Address): SpendOutcome => ({
  transactionHash,
  outcome: "paid",
  proposalId: null,
  readyAt: null,
});

export const proposed = (
  transactionHash: Address,
  { proposalId, readyAt }: { readonly proposalId: Address; readonly readyAt: number | null },
): SpendOutcome => ({
  transactionHash,
  outcome: readyAt === null ? "proposed" : "queued",
  proposalId,
  readyAt,
});

const isOf = (spend: SpendMessage, { token, to, amount }: Omit<StoredPayment, "transaction">): boolean =>
  isAddressEqual(token, spend.token) && isAddressEqual(to, spend.to) && amount === spend.amount;
