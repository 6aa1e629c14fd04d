import type { Sql } from "#offchain/platform/database/database.ts";
import { spendCalldata, type TreasuryContract } from "./contract.ts";
import type { Send } from "./sending.ts";
import type { Treasuries } from "./service.ts";
import { proposalOfNonce } from "./store/proposals.ts";

export interface SpendOptions {
  readonly sql: Sql;
  readonly contract: TreasuryContract;
  readonly send: Send;
  readonly epoch: () => bigint;
}

/** Relays agents' spends; the contract decides by their budgets. */
export function openSpends({ sql, contract, send, epoch }: SpendOptions): Pick<Treasuries, "spend"> {
  return {
    async spend({ signature, ...spend }) {
      const transactionHash = await send({
        key: `spend:${spend.agent}:${spend.nonce}`,
        to: contract.address,
        data: spendCalldata(spend, signature),
        purpose: "treasury.spend",
      });
      const nonce = await contract.proposalNonceOf(spend.agent, spend.reference);
      const proposalId = await proposalOfNonce(sql, epoch(), nonce);
      return { transactionHash, outcome: proposalId ? "proposed" : "paid", proposalId };
    },
  };
}
