import { integerText, plural } from "../format.ts";
import type { Overview } from "../model.ts";
import { agoText, clockText, spanText } from "../time.ts";
import type { LiveState } from "./stream.ts";

export interface Freshness {
  level: "fresh" | "waiting" | "stale" | "lost";
  /** May be left out where room is short. */
  lead: string;
  words: string;
  title: string;
}

const staleAfterMs = 15_000;

/** Nothing heard for longer than this, though every page asks every few seconds. */
const silentAfterMs = 10_000;

/** When the service answered last, and since when anybody could have noticed that it does not. */
export interface Hearing {
  /** Epoch ms; 0: never. */
  answeredAt: number;
  /** A hidden page asks nothing: what it did not ask is nobody's silence. */
  watchedSince: number;
}

export const isSilent = ({ answeredAt, watchedSince }: Hearing, now: number): boolean =>
  now - Math.max(answeredAt, watchedSince) > silentAfterMs;

/** Whether what the page shows is what the chain says, in words. */
export function freshness(
  chain: Overview["chain"] | undefined,
  hearing: Hearing & { isLost: boolean },
  live: LiveState,
  now: number,
): Freshness {
  const feed = {
    live: "Live events",
    polling: "Events dropped: polling every 3 s",
    connecting: "Connecting",
  }[live];
  if (hearing.isLost || isSilent(hearing, now))
    return {
      level: "lost",
      lead: "",
      words: chain
        ? `No answer for ${spanText(now - hearing.answeredAt)}; figures as of ${clockText(hearing.answeredAt)}`
        : "Service does not answer",
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
