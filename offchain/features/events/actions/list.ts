import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { feed } from "#offchain/core/call/stream.ts";
import { address, bytes32, epochMs, integer, page, text, whole } from "#offchain/core/schema.ts";
import { feedCursor } from "../schema.ts";
import type { Events } from "../service.ts";
import { follow } from "./follow.ts";

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
  .meta({ id: "FeedItem" });

const filter = { contract: text(64).optional(), event: text(64).optional() };

export const listEvents = action({
  name: "events.list",
  summary:
    "The chain's events in the order they were learnt, and those that a reorganisation took back; resumed by cursor",
  effect: "read",
  resource: "/api/v1/events",
  role: "anonymous",
  input: z.object({
    cursor: feedCursor.optional(),
    limit: page.limit,
    ...filter,
    /** How long to wait for something new, when there is nothing. */
    waitMs: whole(0, 20_000).default(0),
  }),
  output: z.object({ items: z.array(feedItem), cursor: z.string(), confirmedTo: integer }),
  run: (events: Events, _caller, { cursor, ...query }) => events.page({ cursor: cursor ?? null, ...query }),
  stream: feed({
    summary:
      "The same without end: what is added and retracted as it happens, and up to where it is confirmed",
    resource: "/api/v1/events/stream",
    input: z.object({ cursor: feedCursor.optional(), ...filter }),
    resumedBy: "cursor",
    open: (events: Events, _caller, { cursor, ...query }) =>
      follow(events, { cursor: cursor ?? null, ...query }),
  }),
});
