/** Lets any number of callers wait for the next step of a loop. */
export class Steps {
  readonly #waiters = new Set<() => void>();

  /** A step was made: everyone may look again. */
  notify(): void {
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }

  /** Resolves at the next step, after `timeoutMs`, or when the caller is not to wait any longer. */
  next(timeoutMs: number, hurry?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        hurry?.removeEventListener("abort", done);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      hurry?.addEventListener("abort", done, { once: true });
      this.#waiters.add(done);
    });
  }
}
