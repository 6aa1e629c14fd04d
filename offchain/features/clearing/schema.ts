import { z } from "zod";
import { address, epochMs, integer, money, signature } from "#offchain/core/schema.ts";

export const epoch = z
  .object({
    /** The contract's number of it, from 1. */
    number: z.number().int(),
    /**
     * `cut`: its rows are fixed, their payments are being claimed. `filling`: its rows are on their way to the chain.
     * `pending`: complete there, and open to challenge. `settled`: its payees can be paid. `paid`: they were. `void`: a
     * receipt contradicted it, or it was given up; what it credited is in the next one.
     */
    state: z.enum(["cut", "filling", "pending", "settled", "paid", "void"]),
    /** What it adds to payees' credits; until it is complete, at the most: a payee may demand meanwhile. */
    total: money,
    payees: z.number().int().nullable(),
    cutAt: epochMs,
    sealedAt: epochMs.nullable(),
    /** When it is settled, or was. */
    settledAt: epochMs.nullable(),
    /** Of its newest call. */
    transactionHash: z.string().nullable(),
    payoutHash: z.string().nullable(),
  })
  .meta({ id: "ClearingEpoch" });

export const clearing = z
  .object({
    contract: address,
    /** Who is in office now, and the number of its office. */
    operator: address,
    office: z.number().int(),
    token: address,
    /** AVT that stands behind this service's receipts, and the least that the contract takes. */
    bond: money,
    bondWanted: money,
    /** The least that an epoch adds to a payee's credit: less waits until it is more. */
    leastCredit: money,
    /** What payees' demands may take at once; a day refills it. */
    exitCap: money,
    /** All that payees were ever credited. */
    credited: money,
    /** What Clearing has received in all, on the chain. */
    received: money,
    epochs: z.array(epoch),
    next: z.string().nullable(),
  })
  .meta({ id: "Clearing" });

export const standing = z
  .object({
    payee: address,
    /** All that it was ever credited by this service. */
    credited: money,
    /** What of it nobody can take back on the chain, what an epoch adds that can be challenged yet, and what has left. */
    settled: money,
    pending: money,
    paid: money,
    owed: money,
    /** The operator's newest word; null when nothing was credited, or another operator is in office. */
    receipt: z
      .object({
        token: address,
        payee: address,
        cumulative: integer,
        epoch: z.number().int(),
        office: z.number().int(),
        /** Unix seconds; it can be demanded in its last 14 days. */
        expiresAt: z.number().int(),
        signature,
      })
      .nullable(),
  })
  .meta({ id: "Credited" });
