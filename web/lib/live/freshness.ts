import { integerText, plural } from "../format.ts";
import type { Overview } from "../model.ts";
import { agoText } from "../time.ts";
import type { LiveState } from "./stream.ts";

export interface Freshness {
  level: "fresh" | "waiting" | "stale" | "lost";
  /** May be left out where room is short. */
  lead: string;
  words: string;
  title: string;
}

const staleAfterMs = 15_000;

/** Whether what the page shows is what the chain says, in words. */
export function freshness(
  chain: Overview["chain"] | undefined,
  isLost: boolean,
  live: LiveState,
  now: number,
): Freshness {
  const feed = {
    live: "Live events",
    polling: "Events dropped: polling every 3 s",
    connecting: "Connecting",
  }[live];
  if (isLost)
    return {
      level: "lost",
      lead: "Service does not answer",
      words: chain ? ` · shown as of block ${integerText(chain.indexedTo)}` : "",
      title: "The page keeps trying.",
    };
  if (!chain) return { level: "waiting", lead: "", words: "Connecting…", title: feed };
  const behind = BigInt(chain.head) - BigInt(chain.indexedTo);
  const isStale = behind > 0n && now - chain.indexedAt > staleAfterMs;
  const block = `block ${integerText(chain.indexedTo)}`;
  return {
    level: isStale ? "stale" : "fresh",
    lead: "Indexed to ",
    words: isStale
      ? `${block}, ${plural(Number(behind), "block")} behind`
      : `${block} · ${agoText(chain.indexedAt, now)}`,
    title: `${feed}. Chain ${chain.chainId}, head ${integerText(chain.head)}.`,
  };
}
