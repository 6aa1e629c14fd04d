import type { Config } from "#offchain/app/config.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Events, FeedItem, FeedPage, FeedQuery } from "#offchain/features/events/service.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { asBursarError } from "../../error.ts";
import type { HttpMetrics } from "../metrics.ts";

/** Changes in one chunk. */
const pageSize = 100;

const encoder = new TextEncoder();

interface Options {
  readonly limits: Pick<Config["http"], "streamClientsMax" | "streamHeartbeatMs">;
  readonly metrics: HttpMetrics;
  readonly log: Log;
}

export type FeedFilter = Pick<FeedQuery, "cursor" | "contract" | "event">;

/** The event feed without end. */
export interface Feeds {
  /**
   * One reader's stream; `requestId` stands in its log lines.
   * @throws BursarError OVERLOADED when too many are open; as `Events.page` for a cursor that cannot be resumed: refused
   * with a status, not within the stream
   */
  open(events: Events, query: FeedFilter, requestId: string): Promise<ReadableStream<Uint8Array>>;
  /** Ends every stream; the readers come back to whoever listens then. */
  closeAll(): void;
}

export function createFeeds({ limits, metrics, log }: Options): Feeds {
  const readers = new Set<Reader>();

  return {
    async open(events, query, requestId) {
      if (readers.size >= limits.streamClientsMax)
        throw new BursarError("OVERLOADED", `${limits.streamClientsMax} event streams are open already`, {
          facts: { streamClientsMax: limits.streamClientsMax },
        });
      const reader = new Reader(events, query, {
        heartbeatMs: limits.streamHeartbeatMs,
        onFailed: (error) => log.error({ requestId, err: error }, "an event stream failed"),
        onClosed() {
          readers.delete(reader);
          metrics.streamClients.dec();
        },
      });
      // Its place is taken before anything is waited for.
      readers.add(reader);
      metrics.streamClients.inc();
      try {
        await events.page({ ...query, limit: 1, waitMs: 0 });
      } catch (error) {
        reader.end();
        throw error;
      }
      return reader.stream;
    },

    closeAll() {
      for (const reader of [...readers]) reader.end();
    },
  };
}

interface ReaderOptions {
  readonly heartbeatMs: number;
  readonly onFailed: (error: unknown) => void;
  readonly onClosed: () => void;
}

/**
 * Server-Sent Events (HTML standard §9.2): `added` and `retracted` with the cursor as id, and `confirmed` with the block
 * up to which nothing changes any more. Pulled by the client's own pace, a page at a time: a slow client costs a page of
 * memory, and one that comes back goes on from its `Last-Event-ID`, which moves on also while its filter matches nothing.
 */
class Reader {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #events: Events;
  readonly #query: FeedFilter;
  readonly #options: ReaderOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #cursor: string | null;
  /** The last id that the client was told. */
  #toldCursor: string | null;
  #confirmedTo = "";
  #isOpen = true;

  constructor(events: Events, query: FeedFilter, options: ReaderOptions) {
    this.#events = events;
    this.#query = query;
    this.#options = options;
    this.#cursor = query.cursor;
    this.#toldCursor = query.cursor;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#write("retry: 1000\n: open\n\n");
        },
        pull: () => this.#pull(),
        cancel: () => void this.#leave(),
      },
      { highWaterMark: 1 },
    );
  }

  /** Ends the stream from this side. */
  end(): void {
    if (this.#leave()) this.#controller?.close();
  }

  #leave(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#options.onClosed();
    return true;
  }

  #write(text: string): void {
    if (this.#isOpen) this.#controller?.enqueue(encoder.encode(text));
  }

  /** One chunk: what is new, or a heartbeat when nothing was for so long. */
  async #pull(): Promise<void> {
    const beatsAt = performance.now() + this.#options.heartbeatMs;
    try {
      for (let text = ""; this.#isOpen && text === ""; ) {
        // How far the feed is confirmed is told at once; only then something new is waited for.
        const isFirst = this.#confirmedTo === "";
        const waitMs = isFirst ? 0 : Math.max(0, Math.ceil(beatsAt - performance.now()));
        const page = await this.#events.page({
          ...this.#query,
          cursor: this.#cursor,
          limit: pageSize,
          waitMs,
        });
        this.#cursor = page.cursor;
        text = this.#news(page);
        if (text === "" && performance.now() >= beatsAt) text = ": heartbeat\n\n";
        if (text !== "") this.#write(this.#place(page) + text);
      }
    } catch (thrown) {
      const error = asBursarError(thrown);
      if (error.code === "INTERNAL") this.#options.onFailed(thrown);
      this.#write(`event: error\ndata: ${JSON.stringify({ error_code: error.code })}\n\n`);
      this.end();
    }
  }

  #news({ items, confirmedTo }: FeedPage): string {
    const changes = items.map(written).join("");
    // With a full page more is to come, which may take back what this one brought.
    if (items.length === pageSize || confirmedTo === this.#confirmedTo) return changes;
    this.#confirmedTo = confirmedTo;
    return `${changes}event: confirmed\ndata: ${JSON.stringify({ confirmedTo })}\n\n`;
  }

  /** An id without data is remembered and not dispatched: so the place moves on over what the filter leaves out. */
  #place({ items, cursor }: FeedPage): string {
    const hasMoved = items.length === 0 && cursor !== this.#toldCursor;
    this.#toldCursor = cursor;
    return hasMoved ? `id: ${cursor}\n\n` : "";
  }
}

const written = (item: FeedItem) =>
  `id: ${item.cursor}\nevent: ${item.change}\ndata: ${JSON.stringify(item)}\n\n`;
