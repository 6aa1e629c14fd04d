/** How far the service is behind the chain, and whether it follows it. */
export interface ChainStatus {
  chainId: number;
  /** One life of a chain: a restarted local chain with the same id is another epoch. 0 before the first contact. */
  epoch: bigint;
  /** `starting`: no contact yet. `backfilling`: far behind. `live`: at the head. `degraded`: the provider fails. */
  state: "starting" | "backfilling" | "live" | "degraded" | "stopped";
  /** Newest block that the provider showed. */
  head: bigint;
  /** Everything up to this block is stored, with all its effects; −1 before the first block. */
  indexedTo: bigint;
  /** Up to this block no reorg is expected any more. */
  finalTo: bigint;
  lagBlocks: number;
  /** How long ago, by the service's clock, the service last stood at the head; 0 while it does. */
  lagMs: number;
  /** Why the provider fails, while `degraded`. */
  problem: string | null;
}

/** A transaction whose block is indexed: its effects are in the store. */
export interface IndexedTransaction {
  hash: `0x${string}`;
  blockNumber: bigint;
  success: boolean;
}

/** What actions may ask of the chain that the service follows. */
export interface ChainView {
  status(): ChainStatus;
  /**
   * Resolves once the block and all its effects are stored.
   * @throws BursarError CHAIN_UNAVAILABLE after `timeoutMs`.
   */
  waitForBlock(block: bigint, timeoutMs?: number): Promise<void>;
  /**
   * Resolves once the transaction is mined and its effects are stored; a reverted one resolves with `success: false`.
   * @throws BursarError CHAIN_UNAVAILABLE after `timeoutMs`.
   */
  waitForTransaction(hash: `0x${string}`, timeoutMs?: number): Promise<IndexedTransaction>;
}
