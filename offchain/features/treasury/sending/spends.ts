import type { Sql } from "#offchain/platform/database/database.ts";
import { proposalNonceOf, spendCalldata, type TreasuryContract } from "../contract.ts";
import type { Treasuries } from "../service.ts";
import { proposalOfSpend } from "../store/proposals.ts";
import type { Send } from "./sending.ts";

export interface SpendOptions {
  readonly sql: Sql;
  /** @throws BursarError TREASURY_UNKNOWN */
  readonly contractOf: (treasury?: `0x${string}`) => TreasuryContract;
  readonly send: Send;
  readonly runId: () => bigint;
}

/** Relays agents' spends; the contract decides by their budgets. */
export function openSpends({ sql, contractOf, send, runId }: SpendOptions): Pick<Treasuries, "spend"> {
  return {
    async spend({ signature, treasury, ...spend }) {
      const contract = contractOf(treasury);
      const transactionHash = await send({
        // An agent's nonces are its own in each Treasury.
        key: `spend:${contract.address === contractOf().address ? "" : `${contract.address}:`}${spend.agent}:${spend.nonce}`,
        to: contract.address,
        data: spendCalldata(spend, signature),
        purpose: "treasury.spend",
        // Nonce and reference can be used once on the chain; a spend that was refused used up neither.
        isOnce: true,
      });
      const { agent, reference } = spend;
      const opened = { agent, reference, nonce: proposalNonceOf(agent, reference) };
      const proposalId = await proposalOfSpend(sql, runId(), contract.address, opened);
      return { transactionHash, outcome: proposalId ? "proposed" : "paid", proposalId };
    },
  };
}
