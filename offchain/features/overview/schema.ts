import { z } from "zod";
import { address, epochMs, integer, money, tokenAmount } from "#offchain/core/schema.ts";
import { closing } from "#offchain/features/payments/streamEvents.ts";

const openBatch = z.object({
  batchId: z.string(),
  payments: z.number().int(),
  value: money,
  openedAt: epochMs,
});

const spentOfBudgets = z.object({
  /** From all budgets, in the last day. */
  spentToday: tokenAmount,
  /** What of it came from budgets that are frozen, have ended or were removed since. */
  stoppedToday: tokenAmount,
  /** The daily limits of the others. */
  budgetToday: tokenAmount,
});

export const overview = z
  .object({
    chain: z.object({
      chainId: z.number().int(),
      head: integer,
      indexedTo: integer,
      runId: z.number().int(),
      indexedAt: epochMs,
      state: z.enum(["starting", "backfilling", "live", "degraded", "stopped"]),
      progress: z.object({
        /** Of the chain's blocks, those that are indexed: 0 to 1. */
        share: z.number().min(0).max(1),
        blocksPerSecond: z.number(),
        eventsPerSecond: z.number(),
        /** Until the head is reached; 0 at the head, null while unknown. */
        etaMs: z.number().int().nullable(),
      }),
    }),
    treasury: z.object({
      address,
      balances: z.array(tokenAmount),
      /** In USDC, and in each other token that a budget is in. */
      ...spentOfBudgets.shape,
      others: z.array(spentOfBudgets),
      /** Agents that may have spent in the last day without a daily limit: the contract counts no day of theirs, so none is above. */
      agentsWithoutLimit: z.number().int(),
    }),
    /** Of the chain as it is now, as the batches and proposals: what was paid before it was restarted is written off. */
    payments: z.object({
      total: z.number().int(),
      /** In USDC, and in each other token that was paid with. */
      value: money,
      others: z.array(money),
      perSecond: z.number(),
      payers: z.number().int(),
      payees: z.number().int(),
      /** Accepted, not yet claimed; refused ones are not waited for. */
      pending: z.number().int(),
      /** Claimed on the chain. */
      settled: z.number().int(),
    }),
    batches: z.object({
      settled: z.number().int(),
      /** In USDC, to which the limits apply, and in other tokens: a batch is in one. */
      open: openBatch.nullable(),
      others: z.array(openBatch),
      limits: z.object({ batchSize: z.number().int(), maxDelayMs: z.number().int(), minAmount: money }),
      /** Of all that was sent to settle payments: claims, epochs and payouts. */
      gasUsed: integer,
      gasPerPayment: z.number().nullable(),
      /** Gas that one ERC-3009 transfer for each payment would have cost beyond what was used. */
      gasSaved: integer,
    }),
    /** The most urgent first. */
    closing: z.array(closing),
    proposals: z.object({ waiting: z.number().int(), executed: z.number().int() }),
    /** Of all work, whichever chain it was paid on. */
    carbon: z.object({ tickets: integer, co2Micrograms: integer, energyMillijoules: integer }),
    energy: z.object({
      capacityWatts: z.string(),
      atp: money,
      reserved: money,
      adp: money,
      charged: money,
      discharged: money,
      expired: money,
    }),
  })
  .meta({ id: "Overview" });

const dailyBudget = z.object({
  leftToday: tokenAmount,
  /** `unlimited` where there is none. */
  limitToday: tokenAmount,
  /** Nothing can be spent, whatever is left. */
  frozen: z.boolean(),
  /** From then on nothing can be spent either. */
  validUntil: epochMs.nullable(),
});

export const wallet = z
  .object({
    address,
    /** The service's own, as of the Treasury and the owners; of an agent what it chose for itself. */
    name: z.string(),
    kind: z.enum(["treasury", "agent", "owner", "operator"]),
    role: z.string().nullable(),
    /** USDC, then the chain's native coin. */
    onChain: z.array(tokenAmount),
    /** Null: its owner's and the operator's to see, and the caller is neither. */
    ledger: z
      .array(
        z.object({ account: z.string(), balance: money, pending: money, available: money, incoming: money }),
      )
      .nullable(),
    channels: z.object({
      paying: z.number().int(),
      earning: z.number().int(),
      deposited: money,
      spent: money,
      earned: money,
      /** In other tokens than USDC. */
      others: z.array(z.object({ deposited: money, spent: money, earned: money })),
    }),
    /** In USDC. */
    budget: dailyBudget.nullable(),
    /** In other tokens. */
    otherBudgets: z.array(dailyBudget),
  })
  .meta({ id: "Wallet" });
