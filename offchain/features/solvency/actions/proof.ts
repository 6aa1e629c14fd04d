import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { address, bytes32, epochMs, integer, unit } from "#offchain/core/schema.ts";
import { accountName } from "#offchain/features/ledger/schema.ts";
import { ownerOf } from "../rules/proof.ts";
import type { Solvency } from "../service.ts";

const proof = z
  .object({
    chainId: z.number().int(),
    unit,
    token: address,
    snapshotId: integer,
    blockNumber: integer,
    blockHash: bytes32,
    takenAt: epochMs,
    previous: bytes32,
    owner: z.string(),
    /** Hides the leaf from whoever does not have it: show it to nobody who need not know the amounts. */
    salt: bytes32,
    /** Base units, by what is owed. */
    parts: z.object({
      deposits: integer,
      promised: integer,
      claimed: integer,
      credits: integer,
      balance: integer,
    }),
    position: z.number().int(),
    /** The neighbour at each level, from the leaf up. */
    path: z.array(z.object({ hash: bytes32, sum: integer })),
    /** All that is owed, base units. */
    obligations: integer,
    root: bytes32,
  })
  .meta({ id: "SolvencyProof" });

export const proveObligation = action({
  name: "solvency.proof",
  summary: "The caller's leaf in the tree of obligations, and its path to the root that everybody is shown",
  effect: "read",
  resource: "/api/v1/solvency/proof",
  role: "agent",
  input: z.object({
    unit: unit.default("USDC"),
    /** The newest, when none is named. */
    snapshotId: z
      .string()
      .regex(/^[1-9]\d{0,17}$/, "must be a snapshot's number")
      .optional(),
    /** For the operator, who may see every leaf; an agent sees its own. */
    account: accountName.optional(),
  }),
  output: proof,
  run: (solvency: Solvency, caller, { account, ...query }) => {
    const own = caller.role === "agent" ? caller.address.toLowerCase() : null;
    const owner = account === undefined ? own : ownerOf(account);
    if (owner === null)
      throw new BursarError("VALIDATION_INVALID_INPUT", "account: name the account whose leaf it is", {
        fields: [{ field: "account", message: "must name an account" }],
      });
    if (caller.role !== "operator" && owner !== own)
      throw new BursarError("FORBIDDEN", `what is owed to ${owner} is told to its owner only`, {
        facts: { account: owner },
      });
    return solvency.proof({ ...query, owner });
  },
});
