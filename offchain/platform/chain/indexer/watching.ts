import type { Hex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { Sql } from "../../database/database.ts";
import type { Rpc } from "../client/rpc.ts";
import type { Handler } from "../event.ts";
import { ReadAhead } from "./ahead.ts";
import type { ChainRun } from "./checkpoint.ts";
import { Dispatcher } from "./dispatch.ts";
import type { IndexerLimits } from "./options.ts";
import { LogSource } from "./source.ts";
import { saveWatches, type Watch, watchesOf } from "./watchStore.ts";

/** Events that are read together. */
export interface Reading {
  readonly keys: readonly Hex[];
  readonly dispatcher: Dispatcher;
  readonly ahead: ReadAhead;
}

/** Events that were added after their chain run began, and how far they are read. */
export interface LateReading extends Reading {
  readonly indexedTo: number;
}

/**
 * Which events are read with the checkpoint, and which were added later and still catch up. An effect meets its events
 * in the chain's order either way: late ones join only where the checkpoint is.
 */
export class Watching {
  readonly #handlers: readonly Handler[];
  readonly #rpc: Rpc;
  readonly #limits: IndexerLimits;
  #live: Reading;
  #late: LateReading | null = null;

  constructor(handlers: readonly Handler[], rpc: Rpc, limits: IndexerLimits) {
    this.#handlers = handlers;
    this.#rpc = rpc;
    this.#limits = limits;
    this.#live = this.#readingOf(handlers, limits);
  }

  get live(): Reading {
    return this.#live;
  }

  /** Those that are furthest behind; null when none is. */
  get late(): LateReading | null {
    return this.#late;
  }

  /**
   * Takes up where the chain run is; what it did not watch yet begins at its first block.
   * @throws BursarError CHAIN_REINDEX_NEEDED: it watched something that nobody handles any more
   */
  async open(sql: Sql, chainRun: ChainRun): Promise<void> {
    const all = new Dispatcher(this.#handlers);
    const stored = await watchesOf(sql, chainRun.id);
    const before = new Set(stored.map(({ key }) => key));
    const isOfItsTime = stored.length === 0 && chainRun.filterHash === all.filterHash;
    const wanted = new Set(all.keys);
    if (isOfItsTime) await saveWatches(sql, chainRun.id, all.keys, null);
    else if (stored.length === 0 || stored.some(({ key }) => !wanted.has(key)))
      throw new BursarError(
        "CHAIN_REINDEX_NEEDED",
        "contracts or events that this chain run watched are not watched any more",
        { facts: { chainId: chainRun.chainId, runId: chainRun.id, indexedTo: chainRun.indexedTo } },
      );
    const added = isOfItsTime ? [] : all.keys.filter((key) => !before.has(key));
    if (added.length > 0) await saveWatches(sql, chainRun.id, added, chainRun.fromBlock - 1);
    this.resume(await watchesOf(sql, chainRun.id));
  }

  /** Takes up what the store says. */
  resume(watches: readonly Watch[]): void {
    const behind = watches.flatMap(({ indexedTo }) => (indexedTo === null ? [] : [indexedTo]));
    const indexedTo = Math.min(...behind);
    const keysAt = (at: number | null) =>
      new Set(watches.filter((watch) => watch.indexedTo === at).map(({ key }) => key));
    this.#live = this.#reading(keysAt(null), this.#limits, this.#live);
    const limits = { ...this.#limits, prefetchRanges: 1 };
    this.#late =
      behind.length === 0 ? null : { ...this.#reading(keysAt(indexedTo), limits, this.#late), indexedTo };
  }

  /** @param former kept if it is of the same events, with what it has learned about the size of ranges */
  #reading(keys: ReadonlySet<Hex>, limits: IndexerLimits, former: Reading | null): Reading {
    if (former?.keys.length === keys.size && former.keys.every((key) => keys.has(key))) return former;
    return this.#readingOf(this.#handlersOf(keys), limits);
  }

  #readingOf(handlers: readonly Handler[], limits: IndexerLimits): Reading {
    const dispatcher = new Dispatcher(handlers);
    const source = new LogSource(this.#rpc, dispatcher.filter);
    return { keys: dispatcher.keys, dispatcher, ahead: new ReadAhead(source, limits) };
  }

  /** The handlers of these events, each limited to the addresses that are meant. */
  #handlersOf(keys: ReadonlySet<Hex>): Handler[] {
    return this.#handlers.flatMap((handler) => {
      const addresses = handler.source.addresses.filter((address) =>
        new Dispatcher([{ ...handler, source: { ...handler.source, addresses: [address] } }]).keys.every(
          (key) => keys.has(key),
        ),
      );
      return addresses.length > 0 ? [{ ...handler, source: { ...handler.source, addresses } }] : [];
    });
  }
}
