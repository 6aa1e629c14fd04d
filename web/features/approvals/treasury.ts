import { type Hex, hashDomain, hashStruct, hashTypedData, parseUnits } from "viem";
import { paymentNonce, proposalTypes } from "#offchain/features/treasury/messages.ts";
import { quorumOf } from "#offchain/features/treasury/rules.ts";
import type { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import type { Budget, Proposal } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { argumentOf, budgetAmong } from "./rules.ts";
import { refusals } from "./signing/words.ts";

const domainTypes = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
] as const;

/** The three hashes that hardware wallets show, computed here and not taken from the service. */
export function proposalHashes(typed: ReturnType<typeof typedProposal>) {
  return {
    digest: hashTypedData(typed),
    domain: hashDomain({
      domain: { ...typed.domain, chainId: BigInt(typed.domain.chainId) },
      types: { EIP712Domain: domainTypes },
    }),
    message: hashStruct({ data: typed.message, primaryType: "Proposal", types: proposalTypes }),
  };
}

/** Whether what would be signed is what the proposal's page shows: its calls by the hash, and its Treasury. */
export const isAsShown = (
  { proposalId, treasury: shown }: Pick<Proposal, "proposalId" | "treasury">,
  treasury: { readonly address: string } | null,
  digest: string,
): boolean => digest === proposalId.toLowerCase() && isSameAddress(shown, treasury?.address);

/** Why rejecting the proposal on the page could end another one; null: it ends this one. */
export function rejectionFault(
  proposal: Pick<Proposal, "proposalId" | "treasury" | "nonce">,
  treasury: { readonly address: string } | null,
  {
    digest,
    opened,
  }: {
    /** Of what the page shows, computed here. */
    digest: string;
    /** Ids that were opened with its nonce, by the chain's own events; null, or none, where it does not say. */
    opened: readonly string[] | null;
  },
): string | null {
  const { proposalId, nonce } = proposal;
  if (!isAsShown(proposal, treasury, digest)) return refusals.rejectsOther(digest, proposalId, nonce);
  const isOther = opened !== null && opened.length > 0 && !opened.includes(digest);
  return isOther ? refusals.neverOpened(nonce, opened) : null;
}

/**
 * Why owners are asked for a payment that its spender asked the Treasury for: it was above the approval line. `limit` is that
 * line where the payment is above it still; null where the line was changed, or the budget removed. Null for other proposals.
 */
export function approvalReason(
  proposal: Pick<Proposal, "proposer" | "reference" | "nonce" | "calls">,
  budgets: readonly Pick<Budget, "spender" | "token" | "decimals" | "approvalAbove">[],
): { limit: Budget["approvalAbove"] | null } | null {
  if (BigInt(proposal.nonce) !== paymentNonce(proposal.proposer as Hex, proposal.reference as Hex))
    return null;
  const [call = { decoded: null }] = proposal.calls;
  const budget = budgetAmong(budgets, { spender: proposal.proposer, token: argumentOf(call, "token") });
  const amount = argumentOf(call, "amount");
  if (!budget || amount === undefined || budget.approvalAbove.amount === "unlimited") return { limit: null };
  const line = parseUnits(budget.approvalAbove.amount, budget.decimals);
  return { limit: BigInt(amount) > line ? budget.approvalAbove : null };
}

/** What `execute` is shown: the approvals that count, and the sender's own if it is to be the last one. */
export const quorumToSend = ({ approvals, threshold }: Proposal, sender?: Hex): Hex[] =>
  quorumOf(
    approvals.flatMap(({ owner, consent, counts }) => (counts && consent !== null ? { owner, consent } : [])),
    threshold,
    sender,
  );
