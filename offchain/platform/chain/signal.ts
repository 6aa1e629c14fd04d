/** Wakes a waiting loop. A call that comes while nobody waits is kept, so no wake-up is lost. */
export class Signal {
  #pending = false;
  #resolve: (() => void) | null = null;

  notify(): void {
    if (!this.#resolve) {
      this.#pending = true;
      return;
    }
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve();
  }

  /** Resolves at the next call of `notify`, or after `timeoutMs`; one waiter at a time. */
  async wait(timeoutMs?: number): Promise<void> {
    if (this.#pending) {
      this.#pending = false;
      return;
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.notify(), timeoutMs);
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
    clearTimeout(timer);
  }
}
