/** One holding of a lock: it ends when it is released, when it can no longer be renewed, or when its process dies. */
export interface Lease extends AsyncDisposable {
  readonly name: string;
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

/**
 * Named mutual exclusion between instances, so that work is not done twice. It protects no write: a holder that was
 * thought dead may wake up late, so whatever is done under a lock must be safe to do twice by itself, by a key, a row
 * lock or a condition (M. Kleppmann, "How to do distributed locking", 2016). `await using lease = await locks.acquire("wallet-123")`.
 */
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
  /** Takes the lock if nobody holds it. @returns whether it was free */
  take(name: string, holder: string, leaseMs: number): Promise<boolean>;
  /** Holds it for `leaseMs` from now. @returns whether `holder` still held it. */
  renew(name: string, holder: string, leaseMs: number): Promise<boolean>;
  /** Gives it back, if `holder` still holds it. */
  drop(name: string, holder: string): Promise<void>;
  close(): Promise<void>;
}
