import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address, bytes32, epochMs, integer, page } from "#offchain/app/schema.ts";

export const feedItem = z
  .object({
    cursor: z.string(),
    change: z.enum(["added", "retracted"]),
    status: z.enum(["pending", "confirmed", "retracted"]),
    contract: z.string(),
    address,
    event: z.string(),
    args: z.record(z.string(), z.unknown()),
    blockNumber: integer,
    blockHash: bytes32,
    blockAt: epochMs,
    transactionHash: bytes32,
    logIndex: z.number().int(),
  })
  .openapi("FeedItem");

/** The same without end: `GET /api/v1/events/stream`, Server-Sent Events, resumed by `Last-Event-ID`. */
export const listEvents = action({
  name: "events.list",
  summary:
    "The chain's events in the order they were learnt, and those that a reorganisation took back; resumed by cursor",
  route: { method: "GET", path: "/api/v1/events" },
  role: "anonymous",
  input: z.object({
    cursor: page.cursor,
    limit: page.limit,
    contract: z.string().max(64).optional(),
    event: z.string().max(64).optional(),
    /** How long to wait for something new, when there is nothing. */
    waitMs: z.coerce.number().int().min(0).max(20_000).default(0),
  }),
  output: z.object({ items: z.array(feedItem), cursor: z.string(), confirmedTo: integer }),
  run: (world, _caller, { cursor, ...query }) => world.events.page({ cursor: cursor ?? null, ...query }),
});
