import type { PublicClient } from "viem";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { openedProposal, spendCalldata, type TreasuryContract } from "../contract.ts";
import type { Treasuries } from "../service.ts";
import { noBudget, spendDenied } from "./denied.ts";
import type { Send } from "./sending.ts";

export interface SpendOptions {
  readonly client: Pick<PublicClient, "getTransactionReceipt">;
  /** @throws BursarError TREASURY_UNKNOWN */
  readonly contractOf: (treasury?: `0x${string}`) => TreasuryContract;
  readonly send: Send;
  readonly tokens: Tokens;
}

/** Relays agents' spends; the contract decides by their budgets. */
export function openSpends({ client, contractOf, send, tokens }: SpendOptions): Pick<Treasuries, "spend"> {
  return {
    async spend({ signature, treasury, ...spend }) {
      const contract = contractOf(treasury);
      const request = {
        // An agent's nonces are its own in each Treasury.
        key: `spend:${contract.address === contractOf().address ? "" : `${contract.address}:`}${spend.agent}:${spend.nonce}`,
        to: contract.address,
        data: spendCalldata(spend, signature),
        purpose: "treasury.spend",
        // Nonce and reference can be used once on the chain; a spend that was refused used up neither.
        isOnce: true,
      };
      // Whoever is no spender here is refused before the chain runs anything, which may be the agent's own code (ERC-1271).
      const authorise = async () => {
        const [budget] = await contract.budgetsOf([{ spender: spend.agent, token: spend.token }]);
        if (!budget?.isActive) throw noBudget(spend);
      };
      const transactionHash = await send(request, authorise).catch((error: unknown) => {
        throw spendDenied(error, spend.token, tokens) ?? error;
      });
      // By the chain itself: events of a Treasury that was just adopted may not be read yet.
      const proposalId = await openedProposal(client, contract.address, transactionHash);
      return { transactionHash, outcome: proposalId ? "proposed" : "paid", proposalId };
    },
  };
}
