import { z } from "zod";
import { bytes32, epochMs, integer, money, unit } from "#offchain/core/schema.ts";

export const reconciliation = z
  .object({
    /** Σ of every unit is zero, balances equal their entries, pending amounts equal their holds. */
    ledgerBalanced: z.boolean(),
    /** Every channel is on the chain as it is in the books, to the last base unit, and the contracts hold all that the books say. */
    chainMatchesLedger: z.boolean(),
    /**
     * USDC that the contracts hold beyond the books. Anybody may send them some, which is nobody's claim; else an event was
     * not told.
     */
    surplus: money,
    sums: z.array(z.object({ unit, sum: integer })),
    /** USDC that the contract holds, and that the ledger says it holds. */
    held: z.object({ chain: money, ledger: money }),
    /** The same of each other token that channels are in; the contract may hold more, for channels that are foreign here. */
    others: z.array(z.object({ chain: money, ledger: money })),
    /** Channels whose figures differ, and by what. */
    differences: z.array(
      z.object({
        channelId: bytes32,
        field: z.enum(["balance", "claimed", "ledger"]),
        chain: integer,
        ledger: integer,
      }),
    ),
    channels: z.number().int(),
    /** Both sides were read at this block. */
    atBlock: integer,
    /** When: with very many channels this may be a while ago. */
    checkedAt: epochMs,
  })
  .meta({ id: "Reconciliation" });
