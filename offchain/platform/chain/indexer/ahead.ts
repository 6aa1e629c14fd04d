import { RpcFailure } from "../client/rpc.ts";
import type { IndexerLimits } from "./options.ts";
import { RangeSizer } from "./ranges.ts";
import type { BlockRange, LogSource } from "./source.ts";

/** A range of several blocks holds more than the provider gives at once. */
class RangeTooLarge extends Error {
  override readonly name = "RangeTooLarge";

  constructor(from: number, to: number, options: ErrorOptions) {
    super(`blocks ${from} to ${to} are too much for the provider`, options);
  }
}

/** Reads a chain range by range, some of them ahead of the one that is asked for, in ranges that the provider bears. */
export class ReadAhead {
  readonly #source: LogSource;
  readonly #limits: IndexerLimits;
  readonly #sizer: RangeSizer;

  constructor(source: LogSource, limits: IndexerLimits) {
    this.#source = source;
    this.#limits = limits;
    this.#sizer = new RangeSizer(limits);
  }

  /** The blocks `from` to `to` in order, however large the provider lets the ranges be. */
  async *ranges(from: number, to: number, unsafeFrom: number): AsyncGenerator<BlockRange, undefined> {
    const fetching: Promise<BlockRange>[] = [];
    let next = from;
    let done = from - 1;
    while (fetching.length > 0 || next <= to) {
      while (fetching.length < this.#limits.prefetchRanges && next <= to) {
        const last = Math.min(next + this.#sizer.blocks - 1, to);
        fetching.push(this.#fetch(next, last, unsafeFrom));
        next = last + 1;
      }
      try {
        const range = await fetching.shift();
        if (!range) continue;
        done = range.to;
        yield range;
      } catch (error) {
        if (!(error instanceof RangeTooLarge)) throw error;
        // The sizer has a smaller range ready.
        fetching.length = 0;
        next = done + 1;
      }
    }
    return undefined;
  }

  #fetch(from: number, to: number, unsafeFrom: number): Promise<BlockRange> {
    const blocks = to - from + 1;
    const range = this.#source.range(from, to, unsafeFrom).then(
      (found) => {
        this.#sizer.succeeded(blocks, found.logs.length);
        return found;
      },
      (error: unknown) => {
        // A rate limit asks for fewer requests, not for smaller ones.
        if (!(error instanceof RpcFailure) || error.problem === "rateLimited") throw error;
        this.#sizer.failed(blocks);
        throw error.problem === "tooLarge" && blocks > 1
          ? new RangeTooLarge(from, to, { cause: error })
          : error;
      },
    );
    // Ranges that were fetched ahead are dropped when an earlier one fails, so their errors are ignored.
    range.catch(() => undefined);
    return range;
  }
}
