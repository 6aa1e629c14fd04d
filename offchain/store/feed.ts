import type { Address, Hex } from "viem";
import { bytesOf } from "./bytes.ts";
import { type EventRow, type StoredEvent, toEvent } from "./chain.ts";
import type { Sql } from "./database.ts";

/** A place in an epoch's feed: after the event `logIndex` of the change at `position`. Compared in this order. */
export interface FeedCursor {
  readonly position: bigint;
  readonly logIndex: number;
}

/** Before the first change of an epoch. */
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
  readonly epochId: bigint;
  readonly after: FeedCursor;
  readonly limit: number;
  /** Highest block that no reorg can reach: events up to it are confirmed. */
  readonly finalTo: number;
  readonly addresses?: readonly Address[];
  /** First topics: the events' signatures. */
  readonly topics?: readonly Hex[];
}

interface FeedRow extends EventRow {
  position: bigint;
  change: FeedEntry["change"];
  is_retracted: boolean;
}

/**
 * The changes after a cursor, in the order in which they were committed. Positions are given out under the epoch's row
 * lock, so one that is visible has every earlier one before it: reading on from the last cursor neither skips nor repeats.
 */
export async function feedPage(sql: Sql, query: FeedQuery): Promise<FeedEntry[]> {
  const { epochId, after, limit, finalTo, addresses = [], topics = [] } = query;
  const columns = sql`number, hash, block_at, log_index, transaction_index, transaction_hash, address, topics, data,
    retracted_as IS NOT NULL AS is_retracted`;
  const ofAddresses = addresses.length ? sql`AND address IN ${sql(addresses.map(bytesOf))}` : sql``;
  const ofTopics = topics.length ? sql`AND substr(topics, 1, 32) IN ${sql(topics.map(bytesOf))}` : sql``;
  const rows = await sql<FeedRow[]>`
    (SELECT sequence AS position, 'added' AS change, ${columns}
     FROM chain_block JOIN chain_event USING (epoch_id, sequence)
     WHERE epoch_id = ${epochId} AND (sequence, log_index) > (${after.position}, ${after.logIndex})
       ${ofAddresses} ${ofTopics}
     ORDER BY sequence, log_index LIMIT ${limit})
    UNION ALL
    (SELECT retracted_as AS position, 'retracted' AS change, ${columns}
     FROM chain_block JOIN chain_event USING (epoch_id, sequence)
     WHERE epoch_id = ${epochId} AND (retracted_as, log_index) > (${after.position}, ${after.logIndex})
       ${ofAddresses} ${ofTopics}
     ORDER BY retracted_as, log_index LIMIT ${limit})
    ORDER BY position, log_index LIMIT ${limit}`;
  return rows.map((row) => ({
    cursor: { position: row.position, logIndex: row.log_index },
    change: row.change,
    status: row.is_retracted ? "retracted" : Number(row.number) <= finalTo ? "confirmed" : "pending",
    event: toEvent(row),
  }));
}
