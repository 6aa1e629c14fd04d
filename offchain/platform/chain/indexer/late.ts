import type { Hex } from "viem";
import type { Sql } from "../../database/database.ts";
import { addLate, type ChainRun, CheckpointMoved, type StoredEvent } from "./checkpoint.ts";
import type { Dispatcher } from "./dispatch.ts";
import { type BlockRange, ViewShifted } from "./source.ts";
import type { LateWatchGroup } from "./watching.ts";
import { moveWatches, type Watch, watchesOf } from "./watchStore.ts";

interface Fetch {
  isOver: boolean;
  readonly range: Promise<BlockRange | undefined>;
}

/**
 * Reads events that were added to the watched ones from their first block up to the checkpoint, where they join the
 * others. The final part of the past is fetched beside whatever else is done; the rest, in which a reorganisation could
 * come between fetch and commit, is short and read in one go.
 */
export class LateReader {
  readonly #sql: Sql;
  readonly #onFetched: () => void;
  #fetch: Fetch | null = null;

  /** @param onFetched called when `step` has something to store */
  constructor(sql: Sql, onFetched: () => void) {
    this.#sql = sql;
    this.#onFetched = onFetched;
  }

  /** What is being fetched is not wanted any more: the past has changed. */
  forget(): void {
    this.#fetch = null;
  }

  /**
   * Stores the next range if it is there, else sees to it that it is fetched.
   * @returns null while it is not there
   * @throws ViewShifted when what was read does not lead to the checkpoint
   */
  async step(
    late: LateWatchGroup,
    chainRun: ChainRun,
    unsafeFrom: number,
  ): Promise<{ chainRun: ChainRun; to: number; events: number } | null> {
    const from = late.indexedTo + 1;
    const safeTo = Math.min(chainRun.indexedTo, unsafeFrom - 1);
    if (from > safeTo) {
      const { value } = await late.ahead.ranges(from, chainRun.indexedTo, unsafeFrom).next();
      return this.#store(late, chainRun, value);
    }
    const fetch = this.#fetch ?? this.#start(late, from, safeTo);
    this.#fetch = fetch;
    if (!fetch.isOver) return null;
    this.#fetch = null;
    return this.#store(late, chainRun, await fetch.range);
  }

  #start(late: LateWatchGroup, from: number, to: number): Fetch {
    const next = late.ahead.ranges(from, to, to + 1).next();
    const fetch: Fetch = { isOver: false, range: next.then(({ value }) => value) };
    const settle = () => {
      fetch.isOver = true;
      this.#onFetched();
    };
    // Whoever takes the range handles its error.
    fetch.range.then(settle, settle);
    return fetch;
  }

  async #store(late: LateWatchGroup, chainRun: ChainRun, range: BlockRange | undefined) {
    const to = range?.to ?? chainRun.indexedTo;
    const isJoining = to === chainRun.indexedTo;
    if (range && isJoining && range.headers.at(-1)?.hash !== chainRun.indexedHash)
      throw new ViewShifted("the past that was read does not end at the checkpoint");
    const events = range?.logs.filter((log) => late.dispatcher.wants(log)) ?? [];
    const added = await this.#sql.begin(async (tx) => {
      const fresh = notStored(events, late.dispatcher, await watchesOf(tx, chainRun.id));
      const withEvents = new Set(fresh.map(({ blockNumber }) => blockNumber));
      const blocks = range?.headers.filter(({ number }) => withEvents.has(number)) ?? [];
      const moved = await addLate(tx, chainRun, { blocks, events: fresh, isJoining });
      await late.dispatcher.apply(tx, moved, events);
      const step = { from: late.indexedTo, to: isJoining ? null : to };
      if (!(await moveWatches(tx, chainRun.id, late.watched, step)))
        throw new CheckpointMoved(`late events of chain run ${chainRun.id} are no longer at ${step.from}`);
      return moved;
    });
    return { chainRun: added, to, events: events.length };
  }
}

/** Without those that are in the store for another handler, which has come this far. */
function notStored(
  events: readonly StoredEvent[],
  dispatcher: Dispatcher,
  watches: readonly Watch[],
): StoredEvent[] {
  const storedTo = new Map<Hex, number>();
  for (const { key, indexedTo } of watches)
    storedTo.set(key, Math.max(storedTo.get(key) ?? -1, indexedTo ?? Infinity));
  return events.filter((event) => {
    const key = dispatcher.keyOf(event);
    return key === undefined || event.blockNumber > (storedTo.get(key) ?? -1);
  });
}
