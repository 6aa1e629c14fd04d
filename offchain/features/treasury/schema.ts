import { z } from "zod";
import {
  address,
  bytes,
  bytes32,
  epochMs,
  integer,
  signature,
  tokenAmount,
  uint,
} from "#offchain/core/schema.ts";
import { warning } from "./proposals/warnings.ts";

/** Schemas that the service and its actions share. */

export const budgetWindow = z.object({
  window: z.enum(["transaction", "hourly", "daily", "weekly", "monthly"]),
  /** `unlimited` where there is none. */
  limit: tokenAmount,
  spent: tokenAmount,
  left: tokenAmount,
  /** When the whole limit is free again if nothing more is spent; null for `transaction`. */
  resetsAt: epochMs.nullable(),
});

export const budget = z
  .object({
    spender: address,
    /** That it chose for itself. */
    spenderName: z.string().nullable(),
    /** The zero address: the chain's native coin. */
    token: address,
    /** Of every amount of this budget; `base units of 0x…` for a token that the service is not configured with. */
    unit: z.string(),
    decimals: z.number().int(),
    /** Whether the service is configured with the token. */
    known: z.boolean(),
    /** Above this a payment opens a proposal. */
    approvalAbove: tokenAmount,
    validUntil: epochMs.nullable(),
    /** Whether only allowed recipients may be paid. */
    recipientsOnly: z.boolean(),
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
    /** USDC, then the chain's native coin. */
    balances: z.array(tokenAmount),
  })
  .meta({ id: "Treasury" });

export const call = z.object({
  to: address,
  /** What `to` is called in the words: this Treasury, a contract of the service, an agent, or the address alone. */
  target: z.string(),
  /** Native coin in wei. */
  value: integer,
  /** The same in the coin. */
  coin: tokenAmount,
  data: bytes,
  /** What the call does, in words: all of it, or they say that they do not tell it. */
  words: z.string(),
  /** What whoever signs should stop at. */
  warnings: z.array(warning),
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
  /**
   * The approval as `execute` takes it, beside others in the order of their owners. Null of a proposal that the chain as it is
   * now has not opened: by it anybody could execute there what nobody follows.
   */
  consent: bytes.nullable(),
  approvedAt: epochMs,
  /** False once the owner has left the Treasury, or another number of owners decides. */
  counts: z.boolean(),
});

export const proposal = z
  .object({
    /** The proposal's EIP-712 digest: what owners sign. */
    proposalId: bytes32,
    treasury: address,
    /**
     * `superseded`: another proposal of its nonce was executed. `lost`: the chain as it is now has not opened it, because that
     * was restarted or reorganised, and it was neither executed nor cancelled. `outdated`: another number of owners decides by
     * now, under which its approvals count nothing.
     */
    state: z.enum(["open", "ready", "executed", "superseded", "cancelled", "expired", "outdated", "lost"]),
    /**
     * The chain as it is now has not opened it, and its nonce is unused there, where the owners' signatures are as good:
     * whoever has enough of them can execute it until its deadline, unless an owner cancels it.
     */
    unfollowed: z.boolean(),
    /** A reorganisation has taken back its opening, on the chain as it is now. */
    takenBack: z.boolean(),
    /**
     * The one that was executed with its nonce, by the transaction that is named here; null unless the state is `superseded`.
     * `known`: it can be asked for here. Owners may execute what nobody has opened.
     */
    supersededBy: z.object({ proposalId: bytes32, known: z.boolean() }).nullable(),
    /** The whole proposal as one sentence. */
    words: z.string(),
    proposer: address,
    /** That it chose for itself. */
    proposerName: z.string().nullable(),
    reference: bytes32,
    nonce: integer,
    /** The last moment that owners may execute it in; 8640000000000000, the last one of a date, for any later one. */
    deadline: epochMs,
    /** The same as the contract has it and owners sign it, in epoch seconds: any uint256. */
    deadlineS: integer,
    /**
     * The contract has queued the payment that this is of: from this moment on anybody may have it made, without the owners'
     * approval, until one of them cancels it. Null: it waits for the owners, or is over.
     */
    readyAt: epochMs.nullable(),
    openedAt: epochMs,
    calls: z.array(call),
    approvals: z.array(approval),
    missing: z.array(address),
    /** How many owners decided when it was opened, which is part of what they sign. */
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
    /** Every token that moves, and the native coin, by account and token. */
    balanceChanges: z.array(
      z.object({
        account: address,
        /** The service's own name for it, such as `this Treasury`. */
        accountLabel: z.string().nullable(),
        /** That it chose for itself. */
        accountName: z.string().nullable(),
        /** Null where the token does not tell a balance. */
        before: tokenAmount.nullable(),
        after: tokenAmount.nullable(),
        change: tokenAmount,
      }),
    ),
    /** False where the node tells no logs of calls: then only what can be read from the calls is listed. */
    complete: z.boolean(),
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
  /**
   * Paid inside the budget; above `approvalAbove` opened as a proposal, which waits for the owners, or, `queued`, is paid
   * without them from `readyAt` on unless one of them cancels it.
   */
  outcome: z.enum(["paid", "proposed", "queued"]),
  proposalId: bytes32.nullable(),
  /** Null unless it is queued. */
  readyAt: epochMs.nullable(),
});
