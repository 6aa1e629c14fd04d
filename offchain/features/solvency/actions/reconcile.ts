import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { bytes32, integer, money, unit } from "#offchain/core/schema.ts";
import type { Solvency } from "../service.ts";

const reconciliation = z
  .object({
    /** Σ of every unit is zero, balances equal their entries, pending amounts equal their holds. */
    ledgerBalanced: z.boolean(),
    /** What the ledger says of the settlement contract is what the contract itself says, to the last base unit. */
    chainMatchesLedger: z.boolean(),
    sums: z.array(z.object({ unit, sum: integer })),
    /** USDC that the contract holds, and that the ledger says it holds. */
    held: z.object({ chain: money, ledger: money }),
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
  })
  .meta({ id: "Reconciliation" });

export type Reconciliation = z.input<typeof reconciliation>;

export const reconcile = action({
  name: "ledger.reconcile",
  summary: "Check that the books balance and that they say what the chain says",
  effect: "read",
  resource: "/api/v1/ledger/reconciliation",
  role: "anonymous",
  input: z.object({}),
  output: reconciliation,
  run: (solvency: Solvency) => solvency.reconcile(),
});
