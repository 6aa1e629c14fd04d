import { BursarError } from "#offchain/core/error.ts";
import type { Events, FeedItem, FeedQuery } from "#offchain/features/events/service.ts";

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
    const after = Number(query.cursor ?? 0);
    if (!(after <= this.#names.length)) throw new BursarError("FEED_ENDED", "another chain's");
    const found = this.#read(query);
    if (found.items.length > 0 || query.waitMs === 0) return found;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      timer = setTimeout(resolve, query.waitMs);
    });
    clearTimeout(timer);
    return this.#read({ ...query, cursor: found.cursor });
  }

  #read({ cursor, limit, event }: FeedQuery) {
    const all = this.#names.map((name, at) => item(name, String(at + 1)));
    const items = all
      .slice(Number(cursor ?? 0))
      .filter((found) => event === undefined || found.event === event)
      .slice(0, limit);
    const end = items.length === limit ? (items.at(-1)?.cursor ?? "0") : String(this.#names.length);
    return { items, cursor: end, confirmedTo: this.confirmedTo };
  }
}

const item = (event: string, cursor: string) => ({ event, cursor, change: "added" }) as FeedItem;
