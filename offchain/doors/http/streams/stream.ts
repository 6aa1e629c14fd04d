import type { Config } from "#offchain/app/config.ts";
import type { Bus, Published, Subscription } from "#offchain/platform/observe/bus.ts";
import type { Holder, Places } from "../client/places.ts";
import type { HttpMetrics } from "../metrics.ts";

/** Chunks that wait for a slow client; beyond it the stream is closed, and the client resumes by Last-Event-ID. */
const backlogMax = 256;

const encoder = new TextEncoder();

/** The live streams: Server-Sent Events (HTML standard §9.2), resumable by `Last-Event-ID`. */
export interface Streams {
  /**
   * What happens on a chain, and what concerns none.
   * @throws BursarError OVERLOADED, RATE_LIMITED when too many streams are open
   */
  open(holder: Holder, lastEventId: string | null, chainId: number): ReadableStream<Uint8Array>;
  /** Ends every stream; the clients come back to whoever listens then. */
  closeAll(): void;
}

export function createLiveStreams(options: {
  bus: Bus;
  places: Places;
  limits: Pick<Config["http"], "streamHeartbeatMs">;
  metrics: HttpMetrics;
}): Streams {
  const { bus, places, limits, metrics } = options;
  const closers = new Set<() => void>();

  return {
    open(holder, lastEventId, chainId) {
      let close = () => {};
      const leave = places.take(holder, () => close());
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            close = follow(controller, { lastEventId, chainId, leave });
          },
          cancel: () => close(),
        },
        { highWaterMark: backlogMax },
      );
    },

    closeAll() {
      for (const close of [...closers]) close();
    },
  };

  function follow(
    controller: ReadableStreamDefaultController<Uint8Array>,
    { lastEventId, chainId, leave }: { lastEventId: string | null; chainId: number; leave: () => void },
  ) {
    const concerns = ({ event }: Published) => event.chainId === undefined || event.chainId === chainId;
    let subscription: Subscription | null = null;
    const close = () => {
      if (!closers.delete(close)) return;
      leave();
      clearInterval(heartbeat);
      subscription?.close();
      metrics.streamClients.dec();
      try {
        controller.close();
      } catch {
        // Already closed by the client's leaving: nothing is left to end.
      }
    };
    const write = (text: string) => {
      if (!closers.has(close)) return;
      controller.enqueue(encoder.encode(text));
      if ((controller.desiredSize ?? 0) <= 0) close();
    };
    const heartbeat = setInterval(() => write(": heartbeat\n\n"), limits.streamHeartbeatMs);
    closers.add(close);
    metrics.streamClients.inc();
    write("retry: 1000\n: open\n\n");
    subscription = bus.subscribe((published) => {
      if (concerns(published)) write(written(published));
    }, lastEventId);
    // One chunk for all that was missed: a long gap must not count as a slow client.
    const gap = subscription.isComplete ? "" : 'event: gap\ndata: {"type":"gap"}\n\n';
    const missed = gap + subscription.missed.filter(concerns).map(written).join("");
    if (missed) write(missed);
    return close;
  }
}

const written = ({ id, event }: Published) =>
  `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
