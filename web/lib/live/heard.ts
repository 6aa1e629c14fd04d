/** When the service answered anything last. An answer is one whatever it says: also who refuses is there. */
export class Heard {
  /** Epoch ms, to the second: nobody reads it closer, and every answer would be drawn. 0: never. */
  #at = 0;
  readonly #listeners = new Set<() => void>();

  at = (): number => this.#at;

  onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** A `fetch` that notes every answer. */
  fetch =
    (fetch: typeof globalThis.fetch, now: () => number = Date.now): typeof globalThis.fetch =>
    async (input, init) => {
      const response = await fetch(input, init);
      this.#note(Math.floor(now() / 1_000) * 1_000);
      return response;
    };

  #note(second: number): void {
    if (second <= this.#at) return;
    this.#at = second;
    for (const listener of this.#listeners) listener();
  }
}

/** Of this page's one service, whichever part of the page asks. */
export const heard = new Heard();
