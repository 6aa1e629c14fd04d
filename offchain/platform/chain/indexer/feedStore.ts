import type { Address, Hex } from "viem";
import { bytesOf, list } from "../../database/bytes.ts";
import type { Sql } from "../../database/database.ts";
import { type EventRow, type StoredEvent, toEvent } from "./checkpoint.ts";

/** A place in a chain run's feed: after the event `logIndex` of the change at `position`. Compared in this order. */
export interface FeedCursor {
  readonly position: bigint;
  readonly logIndex: number;
}

/** Before the first change of a chain run. */
export const feedStart: FeedCursor = { position: 0n, logIndex: -1 };

/** One change of the feed: a log that the chain added, or one that a reorg took back. */
export interface FeedEntry {
  /** Resume here to get what comes after this entry. */
  readonly cursor: FeedCursor;
  readonly change: "added" | "retracted";
  /** How the event stands when read: an addition may be retracted further on in the feed. */
  readonly status: "pending" | "confirmed" | "retracted";
  readonly event: StoredEvent;
}

/** What is read of the feed. An empty filter lets everything through. */
export interface FeedQuery {
  readonly runId: bigint;
  readonly after: FeedCursor;
  readonly limit: number;
  /** Highest block that no reorg can reach: events up to it are confirmed. */
  readonly finalTo: number;
  readonly addresses?: readonly Address[];
  /** First topics: the events' signatures. */
  readonly topics?: readonly Hex[];
  /** The filter leaves next to nothing out: reading in the feed's order is faster than kind by kind. */
  readonly isOfAll?: boolean;
}

/** A part of the feed, and where to go on. */
export interface FeedSlice {
  readonly entries: FeedEntry[];
  /**
   * Behind everything that was looked through: the last entry of a full slice, else the end of the feed. So what a
   * filter leaves out is looked through once.
   */
  readonly end: FeedCursor;
}

interface FeedRow extends EventRow {
  /** The last position given out. */
  told: bigint;
  /** Null when nothing was found: then no other column is set either. */
  position: bigint | null;
  change: FeedEntry["change"];
  is_retracted: boolean;
}

/**
 * The changes after a cursor, in the order in which they were committed. Positions are given out under the chain run's row
 * lock, so one that is visible has every earlier one before it: reading on from the end neither skips nor repeats.
 */
export async function feedPage(sql: Sql, query: FeedQuery): Promise<FeedSlice> {
  const { runId, after, limit, finalTo } = query;
  const columns = sql`number, hash, block_at, log_index, transaction_index, transaction_hash, address, topics, data,
    retracted_as IS NOT NULL AS is_retracted`;
  // One statement, one view of the tables: the end is the one at which this was looked through.
  const rows = await sql<FeedRow[]>`
    WITH page AS (
      (SELECT sequence AS position, 'added' AS change, ${columns}
       FROM (${addedEvents(sql, query)} ORDER BY sequence, log_index LIMIT ${limit}) added
       JOIN chain_block USING (run_id, sequence))
      UNION ALL
      (SELECT retracted_as AS position, 'retracted' AS change, ${columns}
       FROM chain_block JOIN chain_event USING (run_id, sequence)
       -- Said twice, so that the index of retracted blocks is used: they are few.
       WHERE run_id = ${runId} AND retracted_as IS NOT NULL AND retracted_as >= ${after.position}
         AND (retracted_as, log_index) > (${after.position}, ${after.logIndex}) ${kindOf(sql, query)}
       ORDER BY retracted_as, log_index LIMIT ${limit})
      ORDER BY position, log_index LIMIT ${limit}
    )
    SELECT page.*, chain_run.sequence AS told FROM chain_run LEFT JOIN page ON true
    WHERE chain_run.id = ${runId} ORDER BY position, log_index`;
  const entries = rows.flatMap((row) => entryOf(row, finalTo) ?? []);
  const last = entries.at(-1)?.cursor ?? after;
  const told: FeedCursor = { position: (rows[0]?.told ?? 0n) + 1n, logIndex: -1 };
  return { entries, end: entries.length === limit || isBehind(last, told) ? last : told };
}

/**
 * The events that were added after the cursor. What is asked of few kinds is looked up kind by kind, and whatever else
 * was stored is not read; what is asked of all is read in the feed's order.
 */
function addedEvents(sql: Sql, query: FeedQuery) {
  const { runId, after, limit, addresses = [], topics = [], isOfAll } = query;
  if (isOfAll || addresses.length === 0 || topics.length === 0)
    return sql`
      SELECT * FROM chain_event
      WHERE run_id = ${runId} AND (sequence, log_index) > (${after.position}, ${after.logIndex}) ${kindOf(sql, query)}`;
  return sql`
    SELECT found.* FROM unnest(${list(addresses.map(bytesOf))}::text[]::bytea[]) AS a(address)
    CROSS JOIN unnest(${list(topics.map(bytesOf))}::text[]::bytea[]) AS t(topic)
    CROSS JOIN LATERAL (
      SELECT * FROM chain_event e
      WHERE run_id = ${runId} AND (sequence + 0, log_index) > (${after.position}, ${after.logIndex})
        AND chain_event_kind(e.run_id, e.address, e.topics) = chain_event_kind(${runId}, a.address, t.topic)
        AND e.address = a.address AND substr(e.topics, 1, 32) = t.topic
      ORDER BY sequence + 0, log_index LIMIT ${limit}) found`;
}

function kindOf(sql: Sql, { addresses = [], topics = [] }: FeedQuery) {
  const ofAddresses = addresses.length ? sql`AND address IN ${sql(addresses.map(bytesOf))}` : sql``;
  const ofTopics = topics.length ? sql`AND substr(topics, 1, 32) IN ${sql(topics.map(bytesOf))}` : sql``;
  return sql`${ofAddresses} ${ofTopics}`;
}

function entryOf(row: FeedRow, finalTo: number): FeedEntry | null {
  if (row.position === null) return null;
  return {
    cursor: { position: row.position, logIndex: row.log_index },
    change: row.change,
    status: row.is_retracted ? "retracted" : Number(row.number) <= finalTo ? "confirmed" : "pending",
    event: toEvent(row),
  };
}

const isBehind = (cursor: FeedCursor, other: FeedCursor) =>
  cursor.position > other.position ||
  (cursor.position === other.position && cursor.logIndex >= other.logIndex);
