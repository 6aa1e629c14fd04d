import { concat, type Hex, hashDomain, hashStruct, hashTypedData, parseAbi, size } from "viem";
import { proposalTypes, type typedProposal } from "#offchain/sdk/proposal.ts";
import type { Proposal } from "@/lib/model.ts";

/**
 * The part of the Treasury contract that owners use from the page, with every error that these calls can meet.
 * Written out, because the whole ABI would weigh on each first load; a test holds it against the compiled one.
 */
export const ownerAbi = parseAbi([
  "struct Call { address to; uint256 value; bytes data; }",
  "function execute(Call[] calls, uint256 nonce, uint256 deadline, bytes[] signatures) returns (bytes32 id)",
  "function cancelProposal(uint256 nonce)",
  "error Treasury_NotOwner(address caller)",
  "error Treasury_NonceUsed(uint256 nonce)",
  "error Treasury_Expired(uint256 got, uint256 limit)",
  "error Treasury_QuorumNotReached(uint256 got, uint256 limit)",
  "error Treasury_OwnersNotAscending(address got, address previous)",
  "error Treasury_NotApproved(bytes32 id, address owner)",
  "error Treasury_SignatureInvalid(address signer, bytes32 digest)",
  "error Treasury_NoCode(address to)",
  "error Treasury_CallFailed(uint256 index, address to, bytes reason)",
  "error Treasury_NativeTransferFailed(address to, uint256 amount)",
]);

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
