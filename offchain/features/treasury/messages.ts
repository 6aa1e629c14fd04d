import { type Address, concat, type Hex, keccak256, pad } from "viem";

/** Where a Treasury stands: what its EIP-712 messages are bound to. */
export interface TreasuryPlace {
  readonly chainId: number;
  readonly address: string;
}

/** EIP-712 types of `ITreasury.hashProposal`: what owners sign. */
export const proposalTypes = {
  Proposal: [
    { name: "calls", type: "Call[]" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "threshold", type: "uint256" },
  ],
  Call: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
  ],
} as const;

/** EIP-712 types of `ITreasury.paySigned`: what agents sign. */
export const spendTypes = {
  Spend: [
    { name: "agent", type: "address" },
    { name: "token", type: "address" },
    { name: "to", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "reference", type: "bytes32" },
    { name: "nonce", type: "uint256" },
    { name: "validBefore", type: "uint256" },
  ],
} as const;

/** What a proposal would do, as the contract takes it. */
export interface ProposalMessage {
  readonly calls: readonly {
    readonly to: `0x${string}`;
    /** Wei. */
    readonly value: bigint;
    readonly data: `0x${string}`;
  }[];
  readonly nonce: bigint;
  /** Epoch seconds. */
  readonly deadline: bigint;
  /** How many owners decide: an approval counts only while that many do, so that a lower number revives none. */
  readonly threshold: bigint;
}

/** A payment that an agent asks of a Treasury. */
export interface SpendMessage {
  readonly agent: `0x${string}`;
  readonly token: `0x${string}`;
  readonly to: `0x${string}`;
  /** Base units of the token. */
  readonly amount: bigint;
  /** Idempotency key on the chain: a reference pays, or proposes, once per agent. */
  readonly reference: `0x${string}`;
  readonly nonce: bigint;
  /** Epoch seconds. */
  readonly validBefore: bigint;
}

export const treasuryDomain = ({ chainId, address }: TreasuryPlace) => ({
  name: "Bursar Treasury",
  version: "1",
  chainId,
  verifyingContract: address as `0x${string}`,
});

/** From here on nonces are for changes of owners alone, and no single owner can cancel them: ITreasury.cancelProposal. */
const firstOwnersNonce = 2n ** 256n - 2n ** 64n;

/** Whether one owner can reject what has this nonce. */
export const isCancellable = (nonce: bigint): boolean => nonce < firstOwnersNonce;

/** What an owner signs; its EIP-712 digest is the proposal's id. */
export const proposalToSign = (message: ProposalMessage, treasury: TreasuryPlace) =>
  ({ domain: treasuryDomain(treasury), types: proposalTypes, primaryType: "Proposal", message }) as const;

/** What an agent signs, so that anybody may relay it. */
export const spendToSign = (message: SpendMessage, treasury: TreasuryPlace) =>
  ({ domain: treasuryDomain(treasury), types: spendTypes, primaryType: "Spend", message }) as const;

/** The nonce of the proposal that a spender's payment opens: ITreasury.proposalNonceOf. */
export const paymentNonce = (spender: Address, reference: Hex): bigint =>
  BigInt(keccak256(concat([pad(spender), reference])));
