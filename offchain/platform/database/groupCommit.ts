import { type CommitLimits, CommitQueue, isPassing, retriesMax, type Submission } from "./commitQueue.ts";
import { ConnectionError } from "./driver/errors.ts";

/**
 * Carries the items of many callers in one durable transaction, where whoever writes them also decides them, inside that
 * transaction. There is no timer: a group is whatever came in while the one before it was being written, so a lone caller
 * waits for one transaction and a crowd shares few. A group that fails as a whole is halved until the failure stands alone.
 *
 * The ledger's `CommitPipeline` takes callers from the same queue, but decides from memory, ahead of the database.
 */
export class GroupCommit<Item, Outcome> {
  readonly #queue: CommitQueue<Item, Outcome>;
  readonly #commit: (items: readonly Item[]) => Promise<Outcome[]>;
  readonly #limits: CommitLimits;
  #isWriting = false;

  /** @param commit Writes the items in one transaction and resolves, when durable, to one outcome for each. */
  constructor(commit: (items: readonly Item[]) => Promise<Outcome[]>, limits: CommitLimits) {
    this.#queue = new CommitQueue(limits);
    this.#commit = commit;
    this.#limits = limits;
  }

  /** Resolves when the items are durable. One caller's items stay together and in order. */
  submit(items: readonly Item[]): Promise<Outcome[]> {
    if (items.length === 0) return Promise.resolve([]);
    const outcomes = this.#queue.add(items);
    if (!this.#isWriting) void this.#flush();
    return outcomes;
  }

  async #flush(): Promise<void> {
    this.#isWriting = true;
    while (!this.#queue.isEmpty) await this.#write(this.#queue.take({ items: this.#limits.maxGroup }));
    this.#isWriting = false;
  }

  async #write(group: readonly Submission<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#commit(group.flatMap(({ items }) => items));
      let from = 0;
      for (const { items, resolve } of group) {
        resolve(outcomes.slice(from, from + items.length));
        from += items.length;
      }
    } catch (error) {
      // Without a database every half would fail in turn, each as slowly.
      if (error instanceof ConnectionError) {
        for (const { reject } of group) reject(error);
        return;
      }
      const [only, ...others] = group;
      if (only && others.length === 0) return this.#retry(only, error);
      const middle = group.length >> 1;
      await this.#write(group.slice(0, middle));
      await this.#write(group.slice(middle));
    }
  }

  async #retry({ items, resolve, reject }: Submission<Item, Outcome>, first: unknown): Promise<void> {
    let error = first;
    for (let tries = 0; tries < retriesMax && isPassing(error); tries += 1) {
      try {
        return resolve(await this.#commit(items));
      } catch (again) {
        error = again;
      }
    }
    reject(error);
  }
}
