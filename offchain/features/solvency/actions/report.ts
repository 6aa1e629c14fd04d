import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import {
  address,
  bytes32,
  epochMs,
  integer,
  money,
  page,
  pageOf,
  signature,
  unit,
} from "#offchain/core/schema.ts";
import type { Solvency } from "../service.ts";

const line = z
  .object({
    unit,
    /** The ERC-20 that is the unit's form on the chain. */
    token: address,
    obligations: money,
    holdings: money,
    /** Holdings less obligations; below zero when short. */
    surplus: money,
    isSolvent: z.boolean(),
    /** What is owed, by what it is. */
    parts: z.object({
      deposits: money,
      promised: money,
      claimed: money,
      credits: money,
      balance: money,
    }),
    holders: z.array(z.object({ name: z.string(), address, holds: money })),
    /** The tree's own hash; with it and the rest of this, anybody computes the root. */
    top: bytes32.nullable(),
    /** Root of the Merkle-sum tree over all owners; it commits to the block, the sum, and the root before it. */
    root: bytes32,
    previous: bytes32,
    /** `SolvencyRoot(address token,uint256 snapshotId,bytes32 previous,bytes32 root)`, EIP-712; null for old snapshots. */
    signed: z.object({ by: address, signature }).nullable(),
    depth: z.number().int(),
  })
  .meta({ id: "SolvencyLine" });

const report = z
  .object({
    snapshotId: integer,
    takenAt: epochMs,
    chainId: z.number().int(),
    /** Both sides were read at this block. */
    blockNumber: integer,
    blockHash: bytes32,
    status: z.enum(["pending", "confirmed", "retracted"]),
    isSolvent: z.boolean(),
    items: z.array(line),
  })
  .meta({ id: "SolvencyReport" });

export const reportSolvency = action({
  name: "solvency.report",
  summary: "What the ledger owes in each token against what the contracts hold, at one block, with its roots",
  effect: "read",
  resource: "/api/v1/solvency",
  role: "anonymous",
  input: z.object({}),
  output: report,
  run: (solvency: Solvency) => solvency.report(),
});

export const takeSnapshot = action({
  name: "solvency.take",
  summary: "Take a snapshot of obligations and holdings now; one that is only seconds old is given instead",
  effect: "write",
  resource: "/api/v1/solvency/snapshots",
  role: "agent",
  input: z.object({}),
  output: report,
  run: (solvency: Solvency) => solvency.take(),
});

export const listSnapshots = action({
  name: "solvency.list",
  summary: "All snapshots, newest first: each root contains the one before it",
  effect: "read",
  resource: "/api/v1/solvency/snapshots",
  role: "anonymous",
  input: z.object({
    ...page,
  }),
  output: pageOf(report),
  run: (solvency: Solvency, _caller, query) => solvency.list(query),
});
