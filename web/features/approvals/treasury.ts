import { concat, type Hex, hashDomain, hashStruct, hashTypedData, size } from "viem";
import { proposalTypes } from "#offchain/features/treasury/messages.ts";
import type { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import type { Proposal } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";

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

/**
 * Consents in the order and form of `execute`: ascending by owner; a plain account's signature as it is, an owner
 * who sends the transaction or approved on-chain by address alone, a contract owner's address before its signature.
 */
export function consents(approvals: Proposal["approvals"], sender?: string): Hex[] {
  const byOwner = new Map<string, Hex>();
  for (const { owner, signature, counts } of approvals) {
    if (!counts) continue;
    byOwner.set(owner.toLowerCase(), signature ? consent(owner as Hex, signature as Hex) : (owner as Hex));
  }
  if (sender && !byOwner.has(sender.toLowerCase())) byOwner.set(sender.toLowerCase(), sender as Hex);
  return [...byOwner].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, bytes]) => bytes);
}

const consent = (owner: Hex, signature: Hex): Hex =>
  size(signature) === 65 || size(signature) === 64 ? signature : concat([owner, signature]);
