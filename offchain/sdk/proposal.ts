import type { z } from "zod";
import type { proposal } from "#offchain/features/treasury/actions/schema.ts";

/** Of a proposal as the service shows it, what the Treasury's owners sign. */
type Content = Pick<z.output<typeof proposal>, "calls" | "nonce" | "deadline">;

/** EIP-712 types of `ITreasury.hashProposal`. */
export const proposalTypes = {
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

/** What the contract takes as a proposal's content. */
export function contentOf({ calls, nonce, deadline }: Content) {
  return {
    calls: calls.map(({ to, value, data }) => ({
      to: to as `0x${string}`,
      value: BigInt(value),
      data: data as `0x${string}`,
    })),
    nonce: BigInt(nonce),
    /** Unix seconds, where the API speaks in milliseconds. */
    deadline: BigInt(Math.floor(deadline / 1000)),
  };
}

/** The EIP-712 message that an owner signs; `hashProposal` of the contract hashes the same. */
export function typedProposal(proposal: Content, treasury: { chainId: number; address: string }) {
  return {
    domain: {
      name: "Bursar Treasury",
      version: "1",
      chainId: treasury.chainId,
      verifyingContract: treasury.address as `0x${string}`,
    },
    types: proposalTypes,
    primaryType: "Proposal",
    message: contentOf(proposal),
  } as const;
}
