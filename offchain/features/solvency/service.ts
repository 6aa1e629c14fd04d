import type { z } from "zod";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { ObligationKind, SolvencyProof } from "./rules/proof.ts";
import type { reconciliation } from "./schema.ts";

export type Reconciliation = z.input<typeof reconciliation>;

interface Money {
  amount: string;
  unit: UnitCode;
}

/** One token: what the ledger owes in it, and what contracts hold of it. */
export interface SolvencyLine {
  unit: UnitCode;
  token: `0x${string}`;
  obligations: Money;
  holdings: Money;
  /** Holdings less obligations; below zero when short. */
  surplus: Money;
  isSolvent: boolean;
  parts: Record<ObligationKind, Money>;
  holders: { name: string; address: `0x${string}`; holds: Money }[];
  /** The tree's own hash; with it and the rest of this, anybody computes the root. Null where it was not kept. */
  top: `0x${string}` | null;
  /** The root over all owners, and the one before it. */
  root: `0x${string}`;
  previous: `0x${string}`;
  /** The operator's EIP-712 signature over the root; null where it was told before roots were signed. */
  signed: { by: `0x${string}`; signature: `0x${string}` } | null;
  depth: number;
}

/** What was owed and held at one block. */
export interface SolvencyReport {
  snapshotId: string;
  takenAt: number;
  chainId: number;
  blockNumber: string;
  blockHash: `0x${string}`;
  /** `confirmed`: no reorganisation is expected to reach the block any more. `retracted`: one did, or its chain is gone. */
  status: "pending" | "confirmed" | "retracted";
  isSolvent: boolean;
  items: SolvencyLine[];
}

export interface ProofQuery {
  /** Lower-case address, or the name of an account of the house. */
  owner: string;
  unit: UnitCode;
  /** The newest, when none is named. */
  snapshotId?: string | undefined;
}

/** Whether what is owed is there, provably. */
export interface Solvency extends Snapshots {
  /**
   * Compares the books with the chain; what takes longer than a request waits is answered with the newest comparison.
   * @throws BursarError CHAIN_UNAVAILABLE: there is none yet, or the chain cannot be read
   */
  reconcile(): Promise<Reconciliation>;
}

/** Snapshots of what is owed and held. */
export interface Snapshots {
  /** The newest snapshot; taken now if there is none. */
  report(): Promise<SolvencyReport>;
  /**
   * Takes a snapshot, or gives the newest one if it is only seconds old.
   * @throws BursarError CHAIN_UNAVAILABLE: the chain could not be read at the block that the ledger stands at
   */
  take(): Promise<SolvencyReport>;
  /** Newest first, as far back as there are any. */
  list(query: {
    cursor?: bigint | undefined;
    limit: number;
  }): Promise<{ items: SolvencyReport[]; next: string | null }>;
  /** @throws BursarError SNAPSHOT_UNKNOWN, OBLIGATION_UNKNOWN */
  proof(query: ProofQuery): Promise<SolvencyProof>;
  /** What is wrong with the newest snapshot, in words; null when nothing is. */
  problem(): Promise<string | null>;
  /** Forgets the trees of snapshots that are older than that, never the newest one's; how many. */
  forget(before: number): Promise<number>;
}
