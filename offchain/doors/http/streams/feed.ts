import type { Config } from "#offchain/app/config.ts";
import type { FeedMessage, FeedNews, Following } from "#offchain/core/call/stream.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { asBursarError } from "../../error.ts";
import type { Holder, Places } from "../client/places.ts";
import type { HttpMetrics } from "../metrics.ts";

const encoder = new TextEncoder();

interface Options {
  readonly places: Places;
  readonly limits: Pick<Config["http"], "streamHeartbeatMs">;
  readonly metrics: HttpMetrics;
  readonly log: Log;
}

/** Actions that are streamed as a feed. */
export interface Feeds {
  /**
   * One reader's stream; `requestId` stands in its log lines.
   * @param follow opens the feed; what it throws refuses the request with a status, not within the stream
   * @throws BursarError OVERLOADED, RATE_LIMITED when too many are open
   */
  open(
    holder: Holder,
    follow: () => Promise<Following>,
    requestId: string,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Ends every stream; the readers come back to whoever listens then. */
  closeAll(): void;
}

export function createFeeds({ places, limits, metrics, log }: Options): Feeds {
  const readers = new Set<Reader>();

  return {
    async open(holder, follow, requestId) {
      // Its place is taken before anything is waited for.
      const leave = places.take(holder, () => reader.end());
      const reader: Reader = new Reader({
        heartbeatMs: limits.streamHeartbeatMs,
        onFailed: (error) => log.error({ requestId, err: error }, "an event stream failed"),
        onClosed() {
          leave();
          readers.delete(reader);
          metrics.streamClients.dec();
        },
      });
      readers.add(reader);
      metrics.streamClients.inc();
      try {
        return reader.read(await follow());
      } catch (error) {
        reader.end();
        throw error;
      }
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
 * Server-Sent Events (HTML standard §9.2) with the place as id. Pulled by the client's own pace: a slow client costs what
 * the feed gives at once, and one that comes back goes on from its `Last-Event-ID`, which moves on also while nothing of
 * the feed concerns it.
 */
class Reader {
  readonly #options: ReaderOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  /** The last id that the client was told. */
  #toldPlace: string | null = null;
  #isOpen = true;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  read(following: Following): ReadableStream<Uint8Array> {
    this.#toldPlace = following.place;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          this.#write("retry: 1000\n: open\n\n");
          // The door was closed while the feed was being opened.
          if (!this.#isOpen) controller.close();
        },
        pull: () => this.#pull(following),
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
  async #pull(following: Following): Promise<void> {
    const beatsAt = performance.now() + this.#options.heartbeatMs;
    try {
      for (let text = ""; this.#isOpen && text === ""; ) {
        const news = await following.next(Math.max(0, Math.ceil(beatsAt - performance.now())));
        text = news.messages.map(written).join("");
        if (text === "" && performance.now() >= beatsAt) text = ": heartbeat\n\n";
        if (text !== "") this.#write(this.#place(news) + text);
      }
    } catch (thrown) {
      const error = asBursarError(thrown);
      if (error.code === "INTERNAL") this.#options.onFailed(thrown);
      this.#write(`event: error\ndata: ${JSON.stringify({ error_code: error.code })}\n\n`);
      this.end();
    }
  }

  /** An id without data is remembered and not dispatched: so the place moves on over what does not concern the reader. */
  #place({ messages, place }: FeedNews): string {
    const isTold = messages.some((message) => message.place !== undefined);
    const hasMoved = !isTold && place !== this.#toldPlace;
    this.#toldPlace = place;
    return hasMoved ? `id: ${place}\n\n` : "";
  }
}

const written = ({ place, event, data }: FeedMessage) =>
  `${place === undefined ? "" : `id: ${place}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
