/** How many blocks to ask for at once. */
export interface RangeLimits {
  /** Logs per range that the size steers at: one range is one database transaction. */
  readonly targetLogs: number;
  readonly firstBlocks: number;
  readonly maxBlocks: number;
}

/** Growth and shrinkage per range, so that one odd range does not throw the size about. */
const largestStep = 4;
/** How fast the size recovers after a refusal, in basis points per range. */
const recoveryBps = 1_000;
const bps = 10_000;

/** Steers the size of ranges: towards a number of logs, and away from what the provider refuses. */
export class RangeSizer {
  readonly #limits: RangeLimits;
  #blocks: number;
  #ceiling: number;

  constructor(limits: RangeLimits) {
    this.#limits = limits;
    this.#blocks = limits.firstBlocks;
    this.#ceiling = limits.maxBlocks;
  }

  get blocks(): number {
    return Math.max(1, Math.min(this.#blocks, Math.floor(this.#ceiling)));
  }

  /** A range of `blocks` held `logs`. */
  succeeded(blocks: number, logs: number): void {
    const wanted = logs === 0 ? blocks * largestStep : (blocks * this.#limits.targetLogs) / logs;
    const least = this.#blocks / largestStep;
    const most = this.#blocks * largestStep;
    this.#blocks = Math.min(
      this.#limits.maxBlocks,
      Math.max(1, Math.round(Math.min(most, Math.max(least, wanted)))),
    );
    this.#ceiling = Math.min(this.#limits.maxBlocks, this.#ceiling + 1 + (this.#ceiling * recoveryBps) / bps);
  }

  /** The provider refused a range of `blocks`: too many results, too slow, or simply down. */
  failed(blocks: number): void {
    // Ranges of the same size that were on their way together count once.
    this.#ceiling = Math.max(1, Math.min(this.#ceiling, Math.floor(blocks / 2)));
  }
}
