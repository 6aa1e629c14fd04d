/** One holding of a lock: it ends when it is released, when it can no longer be renewed, or when its process dies. */
export interface Lease extends AsyncDisposable {
  readonly name: string;
  /**
   * Fencing token: grows with every holding of the same lock. A write that carries it is refused once a later holder
   * has written, however late it arrives (M. Kleppmann, "How to do distributed locking", 2016).
   */
  readonly fence: bigint;
  /** Aborted with LOCK_LOST as soon as the lease can't be relied on any more. */
  readonly signal: AbortSignal;
  /** Gives the lock back; safe to call twice. */
  release(): Promise<void>;
}

export interface AcquireOptions {
  /** How long the lock outlives a holder that died, ms. */
  leaseMs?: number;
  /** How long to wait for another holder, ms; 0 tries once. */
  waitMs?: number;
}

/** Named mutual exclusion between instances. `await using lease = await locks.acquire("wallet-123")`. */
export interface Locks {
  /**
   * @throws BursarError LOCK_BUSY when another holds it for longer than `waitMs`; LOCK_UNAVAILABLE when what keeps
   * the locks does not answer: nobody holds anything then, and nothing is guessed.
   */
  acquire(name: string, options?: AcquireOptions): Promise<Lease>;
  close(): Promise<void>;
}

/** Where locks are kept. Time is the keeper's own, so that all instances mean the same. */
export interface LockKeeper {
  /** Takes the lock if nobody holds it. @returns the fencing token, or null. */
  take(name: string, holder: string, leaseMs: number): Promise<bigint | null>;
  /** Holds it for `leaseMs` from now. @returns whether `holder` still held it. */
  renew(name: string, holder: string, leaseMs: number): Promise<boolean>;
  /** Gives it back, if `holder` still holds it. */
  drop(name: string, holder: string): Promise<void>;
  close(): Promise<void>;
}
