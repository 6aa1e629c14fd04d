import type { Events, FeedItem, FeedQuery } from "#offchain/actions/events/port.ts";
import { BursarError } from "#offchain/domain/error.ts";

/** Changes in one chunk. */
const pageSize = 100;

const encoder = new TextEncoder();

/**
 * The event feed as Server-Sent Events (HTML standard §9.2): `added` and `retracted` with the cursor as id, and `confirmed`
 * with the block up to which nothing changes any more. Pulled by the client's own pace, a page at a time: a slow client
 * costs a page of memory, and one that comes back goes on from its `Last-Event-ID`.
 */
export function feedStream(
  events: Events,
  query: Pick<FeedQuery, "cursor" | "contract" | "event">,
  options: { heartbeatMs: number; onClosed: () => void },
): ReadableStream<Uint8Array> {
  let cursor = query.cursor;
  let confirmedTo = "";
  let isOpen = true;
  const close = () => {
    if (isOpen) options.onClosed();
    isOpen = false;
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode("retry: 1000\n: open\n\n")),
      async pull(controller) {
        try {
          const page = await events.page({ ...query, cursor, limit: pageSize, waitMs: options.heartbeatMs });
          if (!isOpen) return;
          cursor = page.cursor;
          let text = page.items.map(written).join("");
          if (page.confirmedTo !== confirmedTo) {
            confirmedTo = page.confirmedTo;
            text += `event: confirmed\ndata: ${JSON.stringify({ confirmedTo })}\n\n`;
          }
          controller.enqueue(encoder.encode(text || ": heartbeat\n\n"));
        } catch (error) {
          const code = error instanceof BursarError ? error.code : "INTERNAL";
          controller.enqueue(
            encoder.encode(`event: error\ndata: ${JSON.stringify({ error_code: code })}\n\n`),
          );
          close();
          controller.close();
        }
      },
      cancel: close,
    },
    { highWaterMark: 1 },
  );
}

const written = (item: FeedItem) =>
  `id: ${item.cursor}\nevent: ${item.change}\ndata: ${JSON.stringify(item)}\n\n`;
