import type { Sql, Tx } from "../database/database.ts";

/** How far a backfill is. */
export interface IndexingProgress {
  /** Of the blocks from the first one worth indexing to the head, those that are indexed: 0 to 1. */
  share: number;
  /** Lately. */
  blocksPerSecond: number;
  eventsPerSecond: number;
  /** Until the head is reached, at the latest pace; 0 at the head, null while there is no pace. */
  etaMs: number | null;
}

/** How far the service is behind the chain, and whether it follows it. */
export interface ChainStatus {
  chainId: number;
  /** One life of a chain: a restarted local chain with the same id is another chain run. 0 before the first contact. */
  runId: bigint;
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
  progress: IndexingProgress;
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
   * The current run of the chain. Ask inside an `async` function: thrown while the arguments of a `Promise.all` are made,
   * it would leave the promises before it to nobody, and one of them that rejects ends the process.
   * @throws BursarError CHAIN_UNAVAILABLE before the chain is met
   */
  runNow(): bigint;
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

/** What callers ask of the chain they share, and it is read no more often than this. */
export const sharedReadMs = 100;

export type TransactionId = bigint;

/** A call to be sent by one of the service's keys. */
export interface TransactionRequest {
  /** Idempotency key within the sender and the chain run. */
  key: string;
  to: `0x${string}`;
  data: `0x${string}`;
  /** Wei. */
  value?: bigint;
  /** What it is for, in a word: shown to people and in metrics. */
  purpose: string;
  /** The contract itself lets the call take effect only once: when it failed, the same key may be used anew. */
  isOnce?: boolean;
  /** For one that `isOnce`: how long a failed one keeps the key before another takes it. */
  againAfterMs?: number;
  /** A caller asked for it: it is sent after the service's own transactions, and refused when too many wait already. */
  isRelayed?: boolean;
  /** Nothing that follows depends on it: it is sent after the service's other transactions, and never holds them back. */
  isIndependent?: boolean;
  /** Most gas that the call may need; without it, what the sender pays for callers' calls, or any. */
  gasMax?: bigint;
  /** What the key stands for, where different calldata may ask for the same; without it, the call itself. */
  content?: `0x${string}`;
}

/**
 * `prepared`: stored. `signed`: its raw form is stored. `sent`: broadcast. `mined`: in a block, done or reverted.
 * `replaced`: a foreign transaction took its nonce; it is sent again under another once that is final.
 * `failed`: its simulation reverted, or no node would take it; nothing was sent. `run_lost`: its chain was restarted.
 */
export type TransactionState = "prepared" | "signed" | "sent" | "mined" | "replaced" | "failed" | "run_lost";

export interface SentTransaction {
  id: TransactionId;
  key: string;
  purpose: string;
  sender: `0x${string}`;
  to: `0x${string}`;
  state: TransactionState;
  nonce: number | null;
  /** Of the attempt that was mined. */
  hash: `0x${string}` | null;
  /** Whether the mined transaction did its work; null before. */
  success: boolean | null;
  blockNumber: bigint | null;
  gasUsed: bigint | null;
  /** Wei per gas that was paid. */
  gasPrice: bigint | null;
  /** Nothing about it changes any more. */
  final: boolean;
  createdAt: number;
  updatedAt: number;
}

/** The service's own transactions: each request is sent exactly once, whatever happens to the process meanwhile. */
export interface Transactions {
  readonly sender: `0x${string}`;
  /**
   * Resolves once the request is durable.
   * @throws BursarError IDEMPOTENCY_CONFLICT: the key was used for another call
   * @throws BursarError CHAIN_UNAVAILABLE: the service has not met the chain yet
   */
  enqueue(request: TransactionRequest): Promise<TransactionId>;
  /** As `enqueue`, inside the caller's transaction: the request stands or falls with it. */
  enqueueTx(tx: Sql | Tx, request: TransactionRequest): Promise<TransactionId>;
  /**
   * Whether a request may be stored: one that stands under its key already, or whose call would work now. One that is
   * relayed for a caller waits for its turn among callers, and is refused while the operator's gas is short.
   * @param authorise rejects for whoever may not ask for it; asked of what does not stand yet, before the call is tried
   * @throws BursarError TRANSACTION_REVERTED, TRANSACTION_TOO_EXPENSIVE, TRANSACTION_TOO_LARGE: as `simulate`; OVERLOADED: too many are judged at the moment, or the operator's gas is short
   */
  admit(request: TransactionRequest, authorise?: () => Promise<void>): Promise<void>;
  /** Admits a caller's request and stores it. @throws BursarError OVERLOADED: too many wait, and as `admit` and `enqueue` */
  relay(request: TransactionRequest, authorise?: () => Promise<void>): Promise<TransactionId>;
  /**
   * @throws BursarError TRANSACTION_REVERTED: what the call would answer now, decoded
   * @throws BursarError TRANSACTION_TOO_EXPENSIVE: it needs more gas than `gasMax`, or than any transaction may have
   * @throws BursarError TRANSACTION_TOO_LARGE: it has more bytes than a transaction may have
   */
  simulate(request: Pick<TransactionRequest, "to" | "data" | "value" | "gasMax">): Promise<void>;
  find(id: TransactionId): Promise<SentTransaction | null>;
  /**
   * Resolves once the transaction is mined and did its work.
   * @throws BursarError TRANSACTION_REVERTED {contract, error, args}, TRANSACTION_LOST, TRANSACTION_UNKNOWN
   * @throws BursarError CHAIN_UNAVAILABLE after `timeoutMs`; it may still be mined later
   */
  wait(id: TransactionId, timeoutMs?: number): Promise<SentTransaction>;
}

/** Most bytes of a transaction: no go-ethereum node takes a larger one (its `txMaxSize`). */
const transactionBytesMax = 131_072;

/** Most bytes of a call: what a transaction says beside it, with its signature, is below 256 bytes. */
export const callBytesMax = transactionBytesMax - 256;
