import { z } from "zod";
import {
  address,
  amount,
  bytes32,
  epochMs,
  idempotencyKey,
  integer,
  money,
  signature,
  text,
  uint,
} from "#offchain/core/schema.ts";
import { settleReasons, waitReasons } from "./rules/batch.ts";

/** The x402 batch-settlement scheme's ChannelConfig; its EIP-712 digest is the channel id. */
export const channelConfig = z
  .object({
    payer: address,
    payerAuthorizer: address,
    receiver: address,
    receiverAuthorizer: address,
    token: address,
    /** Seconds that a payer's withdrawal waits, 900 to 2,592,000. */
    withdrawDelay: z.number().int().min(900).max(2_592_000),
    salt: bytes32,
  })
  .meta({ id: "ChannelConfig" });

/** An ERC-3009 ReceiveWithAuthorization to the scheme's deposit collector. */
export const depositAuthorization = z
  .object({
    amount: uint(128),
    validAfter: uint(40),
    validBefore: uint(40),
    salt: uint(256),
    signature,
  })
  .meta({ id: "DepositAuthorization" });

export const channel = z
  .object({
    channelId: bytes32,
    config: channelConfig,
    /** The receiver is Clearing: a payment names any payee, who is credited and paid out later. */
    isCleared: z.boolean(),
    state: z.enum(["opening", "open", "closing", "closed"]),
    deposit: money,
    /** How many deposits of it the chain has seen. */
    deposits: z.number().int(),
    /** Signed over to the payee so far, by the newest accepted voucher. */
    accepted: money,
    /** The payer's own signature over `accepted`: shown to the payer that asks signed, by which it knows what it has promised. */
    voucherSignature: signature.nullable(),
    /** Claimed on the chain so far. */
    claimed: money,
    /** What a further voucher may still promise. */
    available: money,
    openedAt: epochMs,
    transactionId: z.string().nullable(),
  })
  .meta({ id: "Channel" });

export const payment = z
  .object({
    /** The payer's idempotency key for this payment; unique per channel. */
    key: idempotencyKey,
    channelId: bytes32,
    /** CAIP-2 network of the voucher. */
    network: z.string().regex(/^eip155:[1-9]\d{0,15}$/, "must be a CAIP-2 network such as eip155:31337"),
    /** Cumulative amount in the token's base units that the payee may claim, this payment included. */
    maxClaimableAmount: uint(128),
    /** The payer authorizer's EIP-712 `Voucher` signature. */
    signature,
    /** What this payment adds, if the payer wants it checked against the voucher. */
    amount: amount.optional(),
    /** Whom the payer pays: on a cleared channel any agent, elsewhere checked against the channel. */
    payee: address.optional(),
    /** The completed work ticket that is paid for; its carbon and ATP go on the receipt. */
    ticketId: text(64).optional(),
    reference: text(140).optional(),
  })
  .meta({ id: "Payment" });

export const credit = z
  .object({
    /** All that the payee was ever credited, base units. */
    cumulative: integer,
    /** Number of the first epoch that must contain it. */
    epoch: z.number().int(),
    /** Number of the operator's office. */
    office: z.number().int(),
    /** Unix seconds; it can be demanded in its last 14 days. */
    expiresAt: z.number().int(),
    /** The operator's, EIP-712 `CreditReceipt` as in `IClearing`; null in lists. */
    signature: signature.nullable(),
  })
  .meta({ id: "Credit" });

const signedRoot = {
  operator: address,
  /** Of the receipts that were signed together; signed as EIP-712 `ReceiptRoot(bytes32 root)`. */
  root: bytes32,
  signature,
};

export const receipt = z
  .object({
    paymentId: z.string(),
    key: z.string(),
    channelId: bytes32,
    payer: address,
    payee: address,
    amount: money,
    /** The channel's cumulative amount after this payment, base units. */
    cumulative: integer,
    /** `refused`: left out of its batch, whose others settle without it. `lost`: nothing of its batch could be claimed. */
    state: z.enum(["accepted", "claimed", "settled", "refused", "lost"]),
    /** Why the contract, or its payer's code, did not take its voucher; it is tried again as long as its channel covers it. */
    refusal: z.object({ reason: z.string(), at: epochMs }).nullable(),
    reference: z.string().nullable(),
    acceptedAt: epochMs,
    batchId: z.string(),
    /** The transaction that claimed it on the chain. */
    transactionHash: z.string().nullable(),
    carbon: z
      .object({
        co2Micrograms: integer,
        energyMillijoules: integer,
        waterMicrolitres: integer,
        factor: z.string(),
      })
      .nullable(),
    energy: z.object({ ticketId: z.string(), atp: money }).nullable(),
    /** By a cleared channel: the operator's `CreditReceipt`, by which anybody voids an epoch that says less. */
    credit: credit.nullable(),
    /** The operator's signature over what is in this receipt; null in lists, and where one proof stands for many. */
    proof: z
      .object({
        ...signedRoot,
        /** From this receipt's leaf to the root, pairs hashed in sorted order. */
        path: z.array(bytes32),
      })
      .nullable(),
  })
  .meta({ id: "Receipt" });

/** The operator's signature over all receipts of one answer. */
export const receiptsProof = z
  .object({
    ...signedRoot,
    /** Which leaf of the tree the first receipt is; the others follow it in order. */
    first: z.number().int(),
    /** How many leaves the tree has. */
    leaves: z.number().int(),
    /** The nodes beside the receipts' own, from the leaves up, on each height the left one first; pairs hashed in sorted order. */
    path: z.array(bytes32),
  })
  .meta({ id: "ReceiptsProof" });

const reading = z.object({ now: integer, median: integer }).nullable();

/** Why a batch waited or was settled: how far the world and the batch were, when it was decided. */
const batchDecision = z.object({
  action: z.enum(["settle", "wait"]),
  reason: z.enum([...settleReasons, ...waitReasons]),
  at: epochMs,
  /** When a wait ends at the latest; null: when something changes. */
  until: epochMs.nullable(),
  /** Wei per gas, now and the median of the last blocks; null: not known, or it played no part. */
  gas: reading,
  /** Grid intensity, mg CO₂e per kWh, now and the forecast's median. */
  energy: reading,
  /** What settling would have cost. */
  cost: money.nullable(),
});

export const batch = z
  .object({
    batchId: z.string(),
    state: z.enum(["open", "closed", "submitted", "settled", "lost"]),
    closedBy: z.enum(settleReasons).nullable(),
    payments: z.number().int(),
    channels: z.number().int(),
    value: money,
    openedAt: epochMs,
    closedAt: epochMs.nullable(),
    settledAt: epochMs.nullable(),
    /** The transaction that claimed the last of it; known whenever the batch is settled. */
    transactionHash: z.string().nullable(),
    gasUsed: integer.nullable(),
    /** Oldest first; each differs from the one before it. */
    decisions: z.array(batchDecision),
    /** What the contract would not take: left out, so that the rest settles, and tried again while the channel covers it. */
    refused: z.array(z.object({ channelId: bytes32, amount: money, reason: z.string(), at: epochMs })),
  })
  .meta({ id: "Batch" });
