import { type Address, concat, type Hex, hashDomain, hashStruct, hashTypedData, parseAbi, size } from "viem";
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

const proposalTypes = {
  Proposal: [
    { name: "calls", type: "Call[]" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
  Call: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
  ],
} as const;

const domainTypes = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
] as const;

/** What the contract takes as a proposal's content. */
export function contentOf({ calls, nonce, deadline }: Pick<Proposal, "calls" | "nonce" | "deadline">) {
  return {
    calls: calls.map(({ to, value, data }) => ({
      to: to as Address,
      value: BigInt(value),
      data: data as Hex,
    })),
    nonce: BigInt(nonce),
    /** Unix seconds, where the API speaks in milliseconds. */
    deadline: BigInt(Math.floor(deadline / 1000)),
  };
}

/** The EIP-712 message that an owner signs; `hashProposal` of the contract hashes the same. */
export function typedProposal(
  proposal: Pick<Proposal, "calls" | "nonce" | "deadline">,
  treasury: { chainId: number; address: string },
) {
  return {
    domain: {
      name: "Bursar Treasury",
      version: "1",
      chainId: treasury.chainId,
      verifyingContract: treasury.address as Address,
    },
    types: proposalTypes,
    primaryType: "Proposal",
    message: contentOf(proposal),
  } as const;
}

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
