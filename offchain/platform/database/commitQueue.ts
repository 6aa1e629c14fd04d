import { BursarError } from "#offchain/core/error.ts";

/** PostgreSQL: another instance came first (unique_violation), serialization_failure, deadlock_detected. */
const passing = new Set(["23505", "40001", "40P01"]);

/** How often one caller's items are tried again after an error that passes. */
export const retriesMax = 3;

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code);

/** Whether another instance wrote the same key or took the same rows meanwhile: then a second look succeeds. */
export const isPassing = (error: unknown): boolean => passing.has(codeOf(error));

export interface CommitLimits {
  /** Most items in one transaction. */
  readonly maxGroup: number;
  /** Most items waiting; beyond it callers are turned away with OVERLOADED. */
  readonly maxWaiting: number;
}

/** A caller's items, which stay together and in order, and whom to tell what became of them. */
export interface Submission<Item, Outcome> {
  readonly items: readonly Item[];
  /** When it came, by the process's own clock, ms. */
  readonly since: number;
  readonly resolve: (outcomes: Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Callers that wait to share a durable transaction, first come first. */
export class CommitQueue<Item, Outcome> {
  #waiting: Submission<Item, Outcome>[] = [];
  #items = 0;
  readonly #maxWaiting: number;

  constructor({ maxWaiting }: Pick<CommitLimits, "maxWaiting">) {
    this.#maxWaiting = maxWaiting;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves when whoever took the items has told their outcomes. @throws BursarError OVERLOADED */
  add(items: readonly Item[]): Promise<Outcome[]> {
    if (this.#items + items.length > this.#maxWaiting) return Promise.reject(this.#overloaded());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, since: performance.now(), resolve, reject });
      this.#items += items.length;
    });
  }

  /** @param most items and callers in all; the first caller is taken whatever it has, unless it `hasToFit` */
  take(most: { items: number; callers?: number; hasToFit?: boolean }): Submission<Item, Outcome>[] {
    const { callers = Number.POSITIVE_INFINITY, hasToFit = false } = most;
    let [count, items] = [0, 0];
    for (const submission of this.#waiting) {
      const mustFit = hasToFit || count > 0;
      if (count >= callers || (mustFit && items + submission.items.length > most.items)) break;
      items += submission.items.length;
      count += 1;
    }
    this.#items -= items;
    return this.#waiting.splice(0, count);
  }

  #overloaded(): BursarError {
    const facts = { waiting: this.#items, limit: this.#maxWaiting };
    const words = "too many operations are waiting to be written; try again in a moment";
    return new BursarError("OVERLOADED", words, { facts });
  }

  /** Turns away those that came before this moment. */
  refuseBefore(before: number, error: unknown): void {
    this.#waiting = refuseBefore(this.#waiting, before, error);
    this.#items = this.#waiting.reduce((sum, { items }) => sum + items.length, 0);
  }
}

/** Turns away those of the callers that came before this moment. @returns the others */
export function refuseBefore<Caller extends Pick<Submission<never, never>, "since" | "reject">>(
  callers: readonly Caller[],
  before: number,
  error: unknown,
): Caller[] {
  for (const { since, reject } of callers) if (since <= before) reject(error);
  return callers.filter(({ since }) => since > before);
}
