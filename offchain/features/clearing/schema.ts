import { z } from "zod";
import { address, bytes32, epochMs, integer, money, signature } from "#offchain/core/schema.ts";

export const root = z
  .object({
    /** The contract's number of it, from 1. */
    number: z.number().int(),
    /**
     * `cut`: its rows are fixed, their payments are being claimed. `submitted`: on its way. `pending`: on the chain, open
     * to challenge. `final`: payees can claim. `paid`: they were paid out. `void`: a challenge was won against it.
     */
    state: z.enum(["cut", "submitted", "pending", "final", "paid", "void"]),
    root: bytes32.nullable(),
    /** All that payees were ever credited. */
    total: money,
    payees: z.number().int().nullable(),
    cutAt: epochMs,
    postedAt: epochMs.nullable(),
    /** When it can be claimed, if no challenge is open then. */
    finalAt: epochMs.nullable(),
    openChallenges: z.number().int(),
    transactionHash: z.string().nullable(),
    payoutHash: z.string().nullable(),
  })
  .meta({ id: "ClearingRoot" });

export const clearing = z
  .object({
    contract: address,
    operator: address,
    token: address,
    /** AVT that stands behind the operator's receipts, and the least that the contract takes. */
    bond: money,
    bondWanted: money,
    /** All that payees were ever credited. */
    credited: money,
    /** What Clearing has received in all, on the chain. */
    received: money,
    roots: z.array(root),
    next: z.string().nullable(),
  })
  .meta({ id: "Clearing" });

export const standing = z
  .object({
    payee: address,
    /** All that it was ever credited, and what of it has reached its wallet. */
    credited: money,
    paid: money,
    owed: money,
    /** The operator's newest word, for a challenge; null when nothing was credited. */
    receipt: z
      .object({
        token: address,
        payee: address,
        cumulative: integer,
        epoch: z.number().int(),
        signature,
      })
      .nullable(),
    /** The payee's line in the newest root that can be claimed, as `Clearing.claim` takes it. */
    claim: z
      .object({
        token: address,
        epoch: z.number().int(),
        payee: address,
        cumulative: integer,
        proof: z.array(bytes32),
      })
      .nullable(),
  })
  .meta({ id: "Credited" });
