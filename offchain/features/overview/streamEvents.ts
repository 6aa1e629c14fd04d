import { z } from "zod";
import { epochMs, integer } from "#offchain/core/schema.ts";
import { batchEvent, closingEvent, paymentsEvent } from "#offchain/features/payments/streamEvents.ts";
import { proposalEvent } from "#offchain/features/treasury/streamEvents.ts";

const blockEvent = z.object({ type: z.literal("block"), head: integer, indexedTo: integer, at: epochMs });

/** One event of the live stream (`GET /api/v1/stream`, Server-Sent Events); `chainId` says where it happened. */
export const streamEvent = z
  .discriminatedUnion("type", [paymentsEvent, batchEvent, proposalEvent, closingEvent, blockEvent])
  .and(z.object({ chainId: z.number().int() }));
