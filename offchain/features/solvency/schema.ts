import { z } from "zod";
import { bytes32, epochMs, integer, money, unit } from "#offchain/core/schema.ts";

export const reconciliation = z
  .object({
    /** Σ of every unit is zero, balances equal their entries, pending amounts equal their holds. */
    ledgerBalanced: z.boolean(),
    /** What the ledger says of the settlement contract is what the contract itself says, to the last base unit. */
    chainMatchesLedger: z.boolean(),
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
