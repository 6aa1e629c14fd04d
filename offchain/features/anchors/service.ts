/** Heads of the ledger that were signed and anchored. */
export interface AnchorView {
  /** Counts the anchors of the chain run from 0. */
  epoch: string;
  /** `foreign`: the chain has another root under this number than was signed here. */
  state: "pending" | "anchored" | "foreign";
  signed: {
    root: `0x${string}`;
    takenAt: number;
    by: `0x${string}`;
    signature: `0x${string}`;
    heads: {
      unit: string;
      height: string;
      hash: `0x${string}`;
      openings: string;
      openingHash: `0x${string}`;
    }[];
  } | null;
  anchored: { root: `0x${string}`; at: number; transactionHash: `0x${string}` } | null;
}

/** What binds the ledger to a moment: its heads, signed and anchored on the chain. */
export interface Anchors {
  /** Newest first, of the chain's current run. */
  list(query: {
    cursor?: bigint | undefined;
    limit: number;
  }): Promise<{ items: AnchorView[]; next: string | null }>;
  /** What is wrong with what is anchored, in words; null when nothing is. */
  problem(): Promise<string | null>;
}
