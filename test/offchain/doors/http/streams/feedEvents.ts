import { BursarError } from "#offchain/core/error.ts";
import type { Events, FeedItem, FeedQuery } from "#offchain/features/events/service.ts";
import { hurrySignal } from "#offchain/platform/requestContext.ts";

/** Behind the so-manieth event, in the form of the real feed's cursors. */
export const cursorAt = (at: number): string => `1.${at}.0`;
const placeOf = (cursor: string | null): number => Number(cursor?.split(".")[1] ?? 0);

/** A feed in memory, for tests of what stands before it: events are numbers, a filter leaves out all but its own. */
export class MemoryFeed implements Events {
  readonly asked: FeedQuery[] = [];
  readonly #names: string[] = [];
  #waiting: (() => void)[] = [];
  confirmedTo = "0";
  /** Thrown by the next page. */
  failure: unknown = null;

  add(...names: string[]): void {
    this.#names.push(...names);
    this.wake();
  }

  /** As a new block does. */
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async page(query: FeedQuery) {
    this.asked.push(query);
    if (this.failure !== null) {
      const { failure } = this;
      this.failure = null;
      throw failure;
    }
    const after = placeOf(query.cursor);
    if (!(after <= this.#names.length)) throw new BursarError("FEED_ENDED", "another chain's");
    const found = this.#read(query);
    if (found.items.length > 0 || query.waitMs === 0) return found;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      timer = setTimeout(resolve, query.waitMs);
      hurrySignal()?.addEventListener("abort", () => resolve());
    });
    clearTimeout(timer);
    return this.#read({ ...query, cursor: found.cursor });
  }

  #read({ cursor, limit, event }: FeedQuery) {
    const all = this.#names.map((name, at) => item(name, cursorAt(at + 1)));
    const items = all
      .slice(placeOf(cursor))
      .filter((found) => event === undefined || found.event === event)
      .slice(0, limit);
    const end = items.length === limit ? (items.at(-1)?.cursor ?? cursorAt(0)) : cursorAt(this.#names.length);
    return { items, cursor: end, confirmedTo: this.confirmedTo };
  }
}

const item = (event: string, cursor: string) => ({ event, cursor, change: "added" }) as FeedItem;
