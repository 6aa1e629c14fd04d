import type { PublicClient } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { openedProposal, spendCalldata, spendContent, type TreasuryContract } from "../contract.ts";
import type { SpendMessage } from "../messages.ts";
import type { SpendOutcome, Treasuries } from "../service.ts";
import { noBudget, spendDenied } from "./denied.ts";
import type { Send } from "./sending.ts";
import { paid, proposed, type ToldSpends } from "./told.ts";

export interface SpendOptions {
  readonly client: Pick<PublicClient, "getTransactionReceipt">;
  /** @throws BursarError TREASURY_UNKNOWN */
  readonly contractOf: (treasury?: `0x${string}`) => TreasuryContract;
  readonly send: Send;
  readonly tokens: Tokens;
  readonly told: ToldSpends;
}

/** Relays agents' spends; the contract decides by their budgets. */
export function openSpends(options: SpendOptions): Pick<Treasuries, "spend"> {
  const { client, contractOf, send, tokens, told } = options;
  return {
    async spend({ signature, treasury, ...spend }) {
      const contract = contractOf(treasury);
      // Whoever relayed it, and however it was signed: what was paid is paid.
      const known = await told.find(contract.address, spend);
      if (known) return known;
      const request = {
        // An agent's nonces are its own in each Treasury.
        key: `spend:${spend.agent}:${contract.address}:${spend.nonce}`,
        to: contract.address,
        data: spendCalldata(spend, signature),
        purpose: "treasury.spend",
        // Nonce and reference can be used once on the chain; a spend that was refused used up neither.
        isOnce: true,
        content: spendContent(spend),
      };
      // Whoever is no spender here is refused before the chain runs anything, which may be the agent's own code (ERC-1271).
      const authorise = async () => {
        const [budget] = await contract.budgetsOf([{ spender: spend.agent, token: spend.token }]);
        if (!budget?.isActive) throw noBudget(spend);
      };
      try {
        const transactionHash = await send(request, authorise);
        // By the chain itself: events of a Treasury that was just adopted may not be read yet.
        const opened = await openedProposal(client, contract.address, transactionHash);
        return opened ? proposed(transactionHash, opened) : paid(transactionHash);
      } catch (error) {
        const overtaken = await doneBefore(contract, spend, { error, told });
        if (overtaken) return overtaken;
        throw spendDenied(error, spend.token, tokens) ?? error;
      }
    },
  };
}

/**
 * Anybody may relay a signed spend: when the contract does not take ours, this very spend may have been paid or proposed by
 * another transaction. Null: it was not, so that the refusal stands.
 * @throws BursarError CHAIN_UNAVAILABLE while that is not known
 */
async function doneBefore(
  contract: TreasuryContract,
  spend: SpendMessage,
  { error, told }: { error: unknown; told: ToldSpends },
): Promise<SpendOutcome | null> {
  if (!isRefusedByChain(error)) return null;
  // The block of a transaction of ours that reverted is in the store, and with it whatever came before.
  const known = await told.find(contract.address, spend);
  if (known) return known;
  const used = await contract.usesOf(spend);
  const isNonceUsed = error.facts.error === "Treasury_SpendNonceUsed";
  const isReferenceUsed = used.reference || error.facts.error === "Treasury_ReferenceUsed";
  if (!isReferenceUsed) {
    // Another node may have said so, which is ahead of this one.
    if (isNonceUsed && !used.nonce) throw notReadYet(spend, error);
    return null;
  }
  const found = await told.findNow(contract.address, spend);
  if (!found) throw notReadYet(spend, error);
  return found === "another" ? null : found;
}

const isRefusedByChain = (error: unknown): error is BursarError =>
  error instanceof BursarError && (error.code === "TRANSACTION_REVERTED" || error.code === "POLICY_DENIED");

const notReadYet = ({ agent, reference }: SpendMessage, cause: BursarError) =>
  new BursarError(
    "CHAIN_UNAVAILABLE",
    "the spend may have been paid by another transaction, whose events are not read yet",
    { facts: { agent, reference }, cause },
  );
