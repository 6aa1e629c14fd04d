import { z } from "zod";
import { address, bytes, bytes32, epochMs, integer, money, signature, uint } from "#offchain/core/schema.ts";

/** Schemas that the service and its actions share. */

export const budgetWindow = z.object({
  window: z.enum(["transaction", "hourly", "daily", "weekly", "monthly"]),
  limit: money,
  spent: money,
  left: money,
  /** When the whole limit is free again if nothing more is spent; null for `transaction`. */
  resetsAt: epochMs.nullable(),
});

export const budget = z
  .object({
    spender: address,
    spenderName: z.string().nullable(),
    token: address,
    unit: z.string(),
    /** Above this a payment opens a proposal. */
    approvalAbove: money,
    validUntil: epochMs.nullable(),
    frozen: z.boolean(),
    windows: z.array(budgetWindow),
  })
  .meta({ id: "Budget" });

export const treasury = z
  .object({
    address,
    chainId: z.number().int(),
    owners: z.array(address),
    threshold: z.number().int(),
    paused: z.boolean(),
    balances: z.array(money),
  })
  .meta({ id: "Treasury" });

export const call = z.object({
  to: address,
  /** Native coin in wei. */
  value: integer,
  data: bytes,
  /** What the call does, in words. */
  words: z.string(),
  /** The decoded function and its arguments; null when the target's ABI is not known. */
  decoded: z
    .object({
      contract: z.string(),
      function: z.string(),
      args: z.array(z.object({ name: z.string(), type: z.string(), value: z.string() })),
    })
    .nullable(),
});

export const approval = z.object({
  owner: address,
  by: z.enum(["signature", "transaction"]),
  signature: bytes.nullable(),
  approvedAt: epochMs,
  /** False once the owner has left the Treasury. */
  counts: z.boolean(),
});

export const proposal = z
  .object({
    /** The proposal's EIP-712 digest: what owners sign. */
    proposalId: bytes32,
    treasury: address,
    state: z.enum(["open", "ready", "executed", "cancelled", "expired", "lost"]),
    /** The whole proposal as one sentence. */
    words: z.string(),
    proposer: address,
    proposerName: z.string().nullable(),
    reference: bytes32,
    nonce: integer,
    /** The last moment that owners may execute it in; 8640000000000000, the last one of a date, for any later one. */
    deadline: epochMs,
    /** The same as the contract has it and owners sign it, in epoch seconds: any uint256. */
    deadlineS: integer,
    openedAt: epochMs,
    calls: z.array(call),
    approvals: z.array(approval),
    missing: z.array(address),
    threshold: z.number().int(),
    /** The approvals in the order and form that `execute` takes; null until the quorum is there. */
    quorum: z.array(bytes).nullable(),
    executedAt: epochMs.nullable(),
    transactionHash: z.string().nullable(),
  })
  .meta({ id: "Proposal" });

export const simulation = z
  .object({
    succeeds: z.boolean(),
    /** Why it would revert, in words, with the contract's own error name. */
    reason: z.string().nullable(),
    balanceChanges: z.array(
      z.object({ account: address, accountName: z.string().nullable(), before: money, after: money }),
    ),
    atBlock: integer,
  })
  .meta({ id: "Simulation" });

/** Which Treasury is meant; without it the chain's configured one. */
export const chosenTreasury = address.optional();

export const followedTreasury = z
  .object({
    address,
    chainId: z.number().int(),
    /** `configured`: the service was started with it. */
    origin: z.enum(["configured", "created", "adopted"]),
    transactionHash: z.string().nullable(),
    /** Since when it is followed; null for the configured one. */
    addedAt: epochMs.nullable(),
  })
  .meta({ id: "FollowedTreasury" });

/** An agent's payment and its signature, to be relayed. */
export const signedSpend = z.object({
  agent: address,
  token: address,
  to: address,
  amount: uint(128),
  reference: bytes32,
  nonce: uint(256),
  validBefore: uint(48),
  signature,
  treasury: chosenTreasury,
});

export const spendOutcome = z.object({
  transactionHash: z.string(),
  /** Paid at once inside the budget, or opened as a proposal above `approvalAbove`. */
  outcome: z.enum(["paid", "proposed"]),
  proposalId: bytes32.nullable(),
});
