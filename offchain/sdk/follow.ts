import { pathOnChain } from "#offchain/core/call/chainPath.ts";
import { BursarError } from "#offchain/core/error.ts";
import { type Backoff, backoffMs, pause } from "#offchain/core/pause.ts";
import { type Client, errorOf } from "./client.ts";
import { reach, serviceUrl } from "./http/reach.ts";
import { isPassing } from "./http/retry.ts";
import { readServerSentEvents } from "./http/serverSentEvents.ts";

/** A change of the feed: an event that the chain added, or one that a reorganisation took back. */
type FeedChange = Awaited<ReturnType<Client["events"]["list"]>>["items"][number];

/** Up to this block nothing of what was told is expected to change any more. */
interface Confirmation {
  change: "confirmed";
  confirmedTo: string;
  /** Where the feed stands: resume here. */
  cursor: string | null;
}

export interface FollowOptions {
  /** The service's address, e.g. `http://127.0.0.1:4020`. */
  url: string;
  /** The chain whose events they are, by its id; without it the service's default one. */
  chain?: number;
  /** Goes on behind it; without: from the first event of this chain. */
  cursor?: string;
  /**
   * `now`, without a cursor: what happened before is read, and not told; the first thing told is a `confirmed`, whose
   * cursor is worth keeping. The pass fetches every earlier event that the filter lets through.
   */
  from?: "start" | "now";
  filter?: { contract?: string; event?: string };
  /** Ends the iteration, which then throws the signal's reason. */
  signal?: AbortSignal;
  /** A connection that says nothing for so long is given up, ms; above the service's heartbeat (15 s). */
  silenceMs?: number;
  fetch?: typeof globalThis.fetch;
}

const path = "/api/v1/events/stream";
const usualSilenceMs = 45_000;
const backoff: Backoff = { firstMs: 50, longestMs: 5_000 };

/**
 * The event feed without end. After a lost connection or a restart of the service it goes on where it stopped: no change is
 * left out, and none comes twice. A client that keeps the newest `cursor` goes on from there after its own restart.
 * @throws BursarError FEED_ENDED when the chain that the cursor is of is no more; VALIDATION_INVALID_INPUT for a filter or
 * cursor that is none
 */
export async function* follow(options: FollowOptions): AsyncGenerator<FeedChange | Confirmation, never> {
  const { cursor = null, filter = {}, signal } = options;
  let isPast = options.from === "now" && cursor === null;
  const url = serviceUrl(options.chain === undefined ? path : pathOnChain(path, options.chain), options.url);
  for (const [name, value] of Object.entries(filter)) if (value) url.searchParams.set(name, value);
  const place = { cursor };
  for (let failures = 1; ; failures += 1) {
    signal?.throwIfAborted();
    const ending = new AbortController();
    try {
      for await (const told of read(url, place, ending, options)) {
        failures = 1;
        // How far the feed is confirmed is told once it has caught up with the present.
        isPast &&= told.change !== "confirmed";
        if (!isPast) yield told;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error)) throw error;
    } finally {
      // Also when the caller leaves its loop.
      ending.abort();
    }
    await pause(backoffMs(failures, backoff), signal);
  }
}

/** One connection's messages; returns when the service ends it, throws a passing error when it is lost. */
async function* read(
  url: URL,
  place: { cursor: string | null },
  ending: AbortController,
  { signal, silenceMs = usualSilenceMs, fetch = globalThis.fetch }: FollowOptions,
): AsyncGenerator<FeedChange | Confirmation, void> {
  const silent = new BursarError("CHAIN_UNAVAILABLE", `the event feed said nothing for ${silenceMs} ms`);
  let silence = setTimeout(() => ending.abort(silent), silenceMs);
  const onHeard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => ending.abort(silent), silenceMs);
  };
  try {
    const response = await reach(fetch, url, {
      headers: place.cursor === null ? {} : { "last-event-id": place.cursor },
      signal: signal ? AbortSignal.any([ending.signal, signal]) : ending.signal,
    });
    if (!response.ok || !response.body)
      throw errorOf(await response.json().catch(() => null), response.status);
    for await (const { id, event, data } of readServerSentEvents(response.body, onHeard)) {
      if (id !== null) place.cursor = id;
      if (data === "") continue;
      const message: unknown = JSON.parse(data);
      if (event === "error") throw errorOf({ message: "the event feed failed", ...(message as object) }, 500);
      if (event === "added" || event === "retracted") yield message as FeedChange;
      if (event === "confirmed") yield confirmation(message, place.cursor);
    }
  } finally {
    clearTimeout(silence);
  }
}

const confirmation = (message: unknown, cursor: string | null): Confirmation => ({
  change: "confirmed",
  confirmedTo: (message as { confirmedTo: string }).confirmedTo,
  cursor,
});
