import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, bytes32, epochMs, integer, page, pageOf, signature } from "#offchain/core/schema.ts";
import type { Anchors } from "../service.ts";

const head = z.object({
  /** A unit of the ledger, or `rules`: suspensions, limits and fees. */
  unit: z.string(),
  /** How many entries its journal has, and the hash of the newest, which binds all before it. */
  height: integer,
  hash: bytes32,
  /** The same of holds. */
  openings: integer,
  openingHash: bytes32,
});

const anchor = z
  .object({
    epoch: integer,
    state: z.enum(["pending", "anchored", "foreign"]),
    /** `LedgerHeads(uint256 epoch,bytes32 root,uint256 count,uint256 takenAt)`, EIP-712; null where the chain has what nobody signed here. */
    signed: z
      .object({ root: bytes32, takenAt: epochMs, by: address, signature, heads: z.array(head) })
      .nullable(),
    /** What ReceiptAnchor says. */
    anchored: z.object({ root: bytes32, at: epochMs, transactionHash: bytes32 }).nullable(),
  })
  .meta({ id: "LedgerAnchor" });

export const listAnchors = action({
  name: "ledger.anchors",
  summary: "The ledger's heads as they were signed and anchored on the chain, newest first",
  effect: "read",
  resource: "/api/v1/ledger/anchors",
  role: "anonymous",
  input: z.object({ ...page }),
  output: pageOf(anchor),
  run: (anchors: Anchors, _caller, query) => anchors.list(query),
});
