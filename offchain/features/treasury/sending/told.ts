import { isAddressEqual } from "viem";
import type { Sql } from "#offchain/platform/database/database.ts";
import { paymentIn } from "../contract.ts";
import { paymentNonce, type SpendMessage } from "../messages.ts";
import type { SpendOutcome } from "../service.ts";
import { findPayment, type StoredPayment } from "../store/payments.ts";
import { proposedPayments } from "../store/proposals.ts";

type Address = `0x${string}`;

/** What became of spends, as the Treasuries' events tell it, whoever sent them. */
export interface ToldSpends {
  /** This very spend: its agent, token, recipient, amount and reference. Null: nothing of it is in the store. */
  find(treasury: Address, spend: SpendMessage): Promise<SpendOutcome | null>;
  /**
   * As `find`, once all that the chain has is in the store. `another`: its reference stands for another payment. Null: the
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
    const paid = await findPayment(sql, at);
    if (paid)
      return isOf(spend, paid)
        ? { transactionHash: paid.transaction, outcome: "paid", proposalId: null }
        : "another";
    const proposed = await proposedPayments(sql, at, paymentNonce(spender, reference));
    for (const { proposalId, calls, openedBy } of proposed) {
      const [call] = calls;
      const payment = call && calls.length === 1 ? paymentIn(call, treasury) : null;
      if (openedBy && payment && isOf(spend, payment))
        return { transactionHash: openedBy, outcome: "proposed", proposalId };
    }
    return proposed.length > 0 ? "another" : null;
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

const isOf = (spend: SpendMessage, { token, to, amount }: Omit<StoredPayment, "transaction">): boolean =>
  isAddressEqual(token, spend.token) && isAddressEqual(to, spend.to) && amount === spend.amount;
