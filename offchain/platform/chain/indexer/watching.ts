import { BursarError } from "#offchain/core/error.ts";
import type { Sql, Tx } from "../../database/database.ts";
import type { Rpc } from "../client/rpc.ts";
import type { Handler } from "../event.ts";
import { ReadAhead } from "./ahead.ts";
import type { ChainRun } from "./checkpoint.ts";
import { Dispatcher, watchedBy } from "./dispatch.ts";
import type { IndexerLimits } from "./options.ts";
import { LogSource } from "./source.ts";
import { addWatches, nameWatches, type Watch, type Watched, watchesOf, watchId } from "./watchStore.ts";

/** Events that are read together. */
export interface WatchGroup {
  readonly watched: readonly Watched[];
  readonly dispatcher: Dispatcher;
  readonly ahead: ReadAhead;
}

/** Events that were added after their chain run began, and how far they are read. */
export interface LateWatchGroup extends WatchGroup {
  readonly indexedTo: number;
}

/**
 * Which events are read with the checkpoint, and which were added later and still catch up, for each handler by itself: a
 * second one of the same event gets its past too. An effect meets its events in the chain's order either way: late ones
 * join only where the checkpoint is.
 */
export class Watching {
  readonly #handlers: readonly Handler[];
  readonly #rpc: Rpc;
  readonly #limits: IndexerLimits;
  #live: WatchGroup;
  #late: LateWatchGroup | null = null;

  constructor(handlers: readonly Handler[], rpc: Rpc, limits: IndexerLimits) {
    this.#handlers = handlers;
    this.#rpc = rpc;
    this.#limits = limits;
    this.#live = this.#readingOf(handlers, limits);
  }

  get live(): WatchGroup {
    return this.#live;
  }

  /** Those that are furthest behind; null when none is. */
  get late(): LateWatchGroup | null {
    return this.#late;
  }

  /**
   * Takes up where the chain run is; what it did not watch yet begins at its own first block, or the chain run's.
   * @throws BursarError CHAIN_REINDEX_NEEDED: it watched something for a handler that is no more
   */
  async open(sql: Sql, chainRun: ChainRun): Promise<void> {
    const all = watchedBy(this.#handlers);
    const stored = await this.#storedFor(sql, chainRun, all);
    const wanted = new Set(all.map(watchId));
    const missing = stored?.find((watch) => !wanted.has(watchId(watch)));
    if (stored === null || missing) throw reindexNeeded(chainRun, missing);
    const before = new Set(stored.map(watchId));
    const added = all.filter((watched) => !before.has(watchId(watched)));
    const begin = ({ fromBlock = 0 }: Watched) =>
      Math.min(Math.max(fromBlock, chainRun.fromBlock) - 1, chainRun.indexedTo);
    if (added.length > 0)
      await addWatches(
        sql,
        chainRun.id,
        added.map((watched) => ({ ...watched, indexedTo: begin(watched) })),
      );
    this.resume(await watchesOf(sql, chainRun.id));
  }

  /** A chain run begins: everything goes with its checkpoint. */
  async begin(tx: Tx, runId: bigint): Promise<void> {
    const live = watchedBy(this.#handlers).map((watched) => ({ ...watched, indexedTo: null }));
    await addWatches(tx, runId, live);
  }

  /**
   * What the store says, after what is older than this record, or names no handler, is put down as these handlers'; null
   * when that is not what they watch.
   */
  async #storedFor(sql: Sql, chainRun: ChainRun, all: readonly Watched[]): Promise<readonly Watch[] | null> {
    const stored = await watchesOf(sql, chainRun.id);
    if (stored.length === 0) {
      if (chainRun.filterHash !== new Dispatcher(this.#handlers).filterHash) return null;
      const live = all.map((watched) => ({ ...watched, indexedTo: null }));
      await addWatches(sql, chainRun.id, live);
      return live;
    }
    const unnamed = new Map(stored.flatMap((watch) => (watch.handler === "" ? [[watch.key, watch]] : [])));
    if (unnamed.size === 0) return stored;
    const named = all.flatMap((watched) => {
      const watch = unnamed.get(watched.key);
      return watch ? [{ ...watched, indexedTo: watch.indexedTo }] : [];
    });
    await sql.begin((tx) => nameWatches(tx, chainRun.id, named));
    return watchesOf(sql, chainRun.id);
  }

  /** Takes up what the store says. */
  resume(watches: readonly Watch[]): void {
    const behind = watches.flatMap(({ indexedTo }) => (indexedTo === null ? [] : [indexedTo]));
    const indexedTo = Math.min(...behind);
    const at = (block: number | null) =>
      new Set(watches.filter((watch) => watch.indexedTo === block).map(watchId));
    this.#live = this.#reading(at(null), this.#limits, this.#live);
    const limits = { ...this.#limits, prefetchRanges: 1 };
    this.#late =
      behind.length === 0 ? null : { ...this.#reading(at(indexedTo), limits, this.#late), indexedTo };
  }

  /** @param former kept if it is of the same events, with what it has learned about the size of ranges */
  #reading(ids: ReadonlySet<string>, limits: IndexerLimits, former: WatchGroup | null): WatchGroup {
    if (former?.watched.length === ids.size && former.watched.every((watched) => ids.has(watchId(watched))))
      return former;
    return this.#readingOf(this.#handlersOf(ids), limits);
  }

  #readingOf(handlers: readonly Handler[], limits: IndexerLimits): WatchGroup {
    const dispatcher = new Dispatcher(handlers);
    const source = new LogSource(this.#rpc, dispatcher.filter);
    return { watched: watchedBy(handlers), dispatcher, ahead: new ReadAhead(source, limits) };
  }

  /** The handlers that watch these, each limited to the addresses that are meant. */
  #handlersOf(ids: ReadonlySet<string>): Handler[] {
    return this.#handlers.flatMap((handler) => {
      const addresses = handler.source.addresses.filter((address) =>
        watchedBy([{ ...handler, source: { ...handler.source, addresses: [address] } }]).every((watched) =>
          ids.has(watchId(watched)),
        ),
      );
      return addresses.length > 0 ? [{ ...handler, source: { ...handler.source, addresses } }] : [];
    });
  }
}

function reindexNeeded({ chainId, id, indexedTo }: ChainRun, missing: Watched | undefined): BursarError {
  // 20 bytes of address, then the topic.
  const [contract, event] = [missing?.key.slice(0, 42), missing && `0x${missing.key.slice(42)}`];
  return new BursarError(
    "CHAIN_REINDEX_NEEDED",
    `this chain run watched an event that nobody handles any more (handler ${missing?.handler ?? "unknown"}): ` +
      "a migration says what becomes of it, see docs/events.md",
    { facts: { chainId, runId: id, indexedTo, handler: missing?.handler, contract, event } },
  );
}
