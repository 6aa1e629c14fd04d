import { BursarError } from "#offchain/core/error.ts";
import { ConnectionError } from "./driver/errors.ts";

interface Waiting<Item, Outcome> {
  items: readonly Item[];
  resolve: (outcomes: Outcome[]) => void;
  reject: (error: unknown) => void;
}

/** PostgreSQL: another instance came first (unique_violation), serialization_failure, deadlock_detected. */
const passing = new Set(["23505", "40001", "40P01"]);
const retriesMax = 3;

export interface GroupCommitLimits {
  /** Most items in one transaction. */
  maxGroup: number;
  /** Most items waiting; beyond it callers are turned away with OVERLOADED. */
  maxWaiting: number;
}

/**
 * Carries the items of many callers in one durable transaction. There is no timer: a group is whatever came in while
 * the one before it was being written, so a lone caller waits for one transaction and a crowd shares few.
 * A group that fails as a whole is halved until the failure stands alone.
 */
export class GroupCommit<Item, Outcome> {
  private readonly waiting: Waiting<Item, Outcome>[] = [];
  private waitingItems = 0;
  private flushing = false;
  private readonly commit: (items: readonly Item[]) => Promise<Outcome[]>;
  private readonly limits: GroupCommitLimits;

  /** @param commit Writes the items in one transaction and resolves, when durable, to one outcome for each. */
  constructor(commit: (items: readonly Item[]) => Promise<Outcome[]>, limits: GroupCommitLimits) {
    this.commit = commit;
    this.limits = limits;
  }

  /** Resolves when the items are durable. One caller's items stay together and in order. */
  submit(items: readonly Item[]): Promise<Outcome[]> {
    if (items.length === 0) return Promise.resolve([]);
    if (this.waitingItems + items.length > this.limits.maxWaiting)
      return Promise.reject(
        new BursarError(
          "OVERLOADED",
          "too many operations are waiting to be written; try again in a moment",
          {
            facts: { waiting: this.waitingItems, limit: this.limits.maxWaiting },
          },
        ),
      );
    return new Promise((resolve, reject) => {
      this.waiting.push({ items, resolve, reject });
      this.waitingItems += items.length;
      if (!this.flushing) void this.flush();
    });
  }

  private async flush(): Promise<void> {
    this.flushing = true;
    while (this.waiting.length > 0) await this.write(this.takeGroup());
    this.flushing = false;
  }

  private takeGroup(): Waiting<Item, Outcome>[] {
    let size = 0;
    let count = 0;
    for (const { items } of this.waiting) {
      if (count > 0 && size + items.length > this.limits.maxGroup) break;
      size += items.length;
      count += 1;
    }
    this.waitingItems -= size;
    return this.waiting.splice(0, count);
  }

  private async write(group: Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.commit(group.flatMap(({ items }) => items));
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
      if (only && others.length === 0) return this.retry(only, error);
      const middle = group.length >> 1;
      await this.write(group.slice(0, middle));
      await this.write(group.slice(middle));
    }
  }

  /** Another instance may have written the same key or taken the same rows meanwhile: then a second look succeeds. */
  private async retry({ items, resolve, reject }: Waiting<Item, Outcome>, first: unknown): Promise<void> {
    let error = first;
    for (let tries = 0; tries < retriesMax && isPassing(error); tries += 1) {
      try {
        return resolve(await this.commit(items));
      } catch (again) {
        error = again;
      }
    }
    reject(error);
  }
}

const isPassing = (error: unknown): boolean =>
  passing.has(String((error as { code?: unknown } | null)?.code));
