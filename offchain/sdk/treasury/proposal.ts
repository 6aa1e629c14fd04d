import type { z } from "zod";
import {
  type ProposalMessage,
  proposalToSign,
  type TreasuryPlace,
} from "#offchain/features/treasury/messages.ts";
import type { proposal } from "#offchain/features/treasury/schema.ts";

/** Of a proposal as the service shows it, what the Treasury's owners sign. */
type Content = Pick<z.output<typeof proposal>, "calls" | "nonce" | "deadlineS" | "threshold">;

/** What the contract takes as a proposal's content. */
export const contentOf = ({ calls, nonce, deadlineS, threshold }: Content): ProposalMessage => ({
  calls: calls.map(({ to, value, data }) => ({
    to: to as `0x${string}`,
    value: BigInt(value),
    data: data as `0x${string}`,
  })),
  nonce: BigInt(nonce),
  deadline: BigInt(deadlineS),
  threshold: BigInt(threshold),
});

/** The EIP-712 message that an owner signs; `hashProposal` of the contract hashes the same. */
export const typedProposal = (proposal: Content, treasury: TreasuryPlace) =>
  proposalToSign(contentOf(proposal), treasury);
