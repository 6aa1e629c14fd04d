import type { FeedMessage, Following } from "#offchain/core/call/stream.ts";
import type { Events, FeedPage, FeedQuery } from "../service.ts";

/** Changes that are read at once: what a slow reader costs. */
const pageSize = 100;

/**
 * Follows the events from a cursor: `added` and `retracted` as they come, and `confirmed` with the block up to which
 * nothing changes any more.
 * @throws BursarError as `Events.page`, for a cursor that cannot be resumed or a filter that is not known
 */
export async function follow(
  events: Events,
  query: Pick<FeedQuery, "cursor" | "contract" | "event">,
): Promise<Following> {
  await events.page({ ...query, limit: 1, waitMs: 0 });
  let { cursor } = query;
  let confirmedTo = "";

  function told(page: FeedPage): FeedMessage[] {
    const changes = page.items.map((item) => ({ place: item.cursor, event: item.change, data: item }));
    // With a full page more is to come, which may take back what this one brought.
    if (page.items.length === pageSize || page.confirmedTo === confirmedTo) return changes;
    confirmedTo = page.confirmedTo;
    return [...changes, { event: "confirmed", data: { confirmedTo } }];
  }

  return {
    place: query.cursor,
    async next(waitMs) {
      // How far the feed is confirmed is told at once; only then something new is waited for.
      const isFirst = confirmedTo === "";
      const page = await events.page({ ...query, cursor, limit: pageSize, waitMs: isFirst ? 0 : waitMs });
      cursor = page.cursor;
      return { messages: told(page), place: page.cursor };
    },
  };
}
