/** One change of the event feed: a log that the chain added, or one that a reorganisation took back. */
export interface FeedItem {
  /** Resume with it to get what comes after. */
  cursor: string;
  change: "added" | "retracted";
  /** How the event stands now. `confirmed`: no reorganisation is expected to reach it any more. */
  status: "pending" | "confirmed" | "retracted";
  contract: string;
  address: `0x${string}`;
  event: string;
  /** Arguments by name; integers as decimal digits. */
  args: Record<string, unknown>;
  blockNumber: string;
  blockHash: `0x${string}`;
  /** The block's time, epoch ms. */
  blockAt: number;
  transactionHash: `0x${string}`;
  logIndex: number;
}

export interface FeedQuery {
  /** Where to go on; null: from the first event of this chain. */
  cursor: string | null;
  limit: number;
  contract?: string | undefined;
  event?: string | undefined;
  /** How long to wait for something new, when there is nothing. */
  waitMs: number;
}

export interface FeedPage {
  items: FeedItem[];
  /** Where to go on, also when nothing was new. */
  cursor: string;
  /** Events up to this block, and not retracted, are confirmed. */
  confirmedTo: string;
}

/** The chain's events in the order in which the service learnt of them, with what was taken back. */
export interface Events {
  /**
   * The changes after a cursor: none is left out, and none comes twice.
   * @throws BursarError FEED_ENDED when the cursor is of a chain that is no more; VALIDATION_INVALID_INPUT when
   * contract or event is not known.
   */
  page(query: FeedQuery): Promise<FeedPage>;
}
