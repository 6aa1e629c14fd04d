/** The header tells whole seconds, and an answer takes a while: less than this is no disagreement. */
const sameClockMs = 5_000;

/** When the service answered anything last, and by which clock. An answer is one whatever it says: also who refuses is there. */
export class Heard {
  /** Epoch ms, to the second: nobody reads it closer, and every answer would be drawn. 0: never. */
  #at = 0;
  /** How far the service's clock is ahead of the browser's; 0 while they agree, or it does not say. */
  #aheadMs = 0;
  readonly #listeners = new Set<() => void>();

  at = (): number => this.#at;

  aheadMs = (): number => this.#aheadMs;

  onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** A `fetch` that notes every answer. */
  fetch =
    (fetch: typeof globalThis.fetch, now: () => number = Date.now): typeof globalThis.fetch =>
    async (input, init) => {
      const response = await fetch(input, init);
      this.#note(Math.floor(now() / 1_000) * 1_000, Date.parse(response.headers.get("date") ?? ""));
      return response;
    };

  #note(second: number, serviceAt: number): void {
    const ahead = this.#aheadBy(serviceAt - second);
    if (second <= this.#at && ahead === this.#aheadMs) return;
    this.#at = Math.max(second, this.#at);
    this.#aheadMs = ahead;
    for (const listener of this.#listeners) listener();
  }

  /** Kept as it is while it only trembles: every change would be drawn. */
  #aheadBy(ms: number): number {
    if (Number.isNaN(ms)) return this.#aheadMs;
    if (Math.abs(ms) < sameClockMs) return 0;
    return Math.abs(ms - this.#aheadMs) < sameClockMs ? this.#aheadMs : ms;
  }
}

/** Of this page's one service, whichever part of the page asks. */
export const heard = new Heard();
