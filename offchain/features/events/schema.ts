import { z } from "zod";
import { BursarError } from "#offchain/core/error.ts";
import type { FeedCursor } from "#offchain/platform/chain/indexer/feedStore.ts";

const form = /^(\d{1,15})\.(\d{1,18})\.(-1|\d{1,9})$/;

/** A place in the feed of a chain run: run, position, log. */
export const feedCursor = z.string().regex(form, "must be a cursor that this feed gave");

export const writtenCursor = (runId: bigint, { position, logIndex }: FeedCursor): string =>
  `${runId}.${position}.${logIndex}`;

/** @throws BursarError FEED_ENDED for a cursor of another chain run */
export function readCursor(cursor: string, runId: bigint): FeedCursor {
  const [, of = "", position = "", logIndex] = form.exec(cursor) ?? [];
  if (BigInt(of) === runId) return { position: BigInt(position), logIndex: Number(logIndex) };
  throw new BursarError("FEED_ENDED", "the chain that this cursor is of is no more: begin without a cursor", {
    facts: { cursor, runId: runId.toString() },
  });
}
