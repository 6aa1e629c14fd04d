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
  /** When the figures were answered, epoch ms: a refusal is an answer, but brings none. 0: never. */
  figuresAt: number;
  /** The code with which the service refused the figures last. */
  refusal: string | null;
  /** As it was answered last. */
  chain: Pick<Overview["chain"], "state" | "indexedAt"> | undefined;
}

export const isSilent = (
  { answeredAt, watchedSince }: Pick<Hearing, "answeredAt" | "watchedSince">,
  now: number,
): boolean => now - Math.max(answeredAt, watchedSince) > silentAfterMs;

/** A single failed request to a node is not an outage. */
const outageAfterMs = 5_000;

/** That the service has lost its chain, as it says itself, in words; null while it has it. */
export function chainSilence(
  { refusal, chain }: Pick<Hearing, "refusal" | "chain">,
  now: number,
): string | null {
  const isFailing = chain?.state === "degraded" && now - chain.indexedAt > outageAfterMs;
  if (refusal !== "CHAIN_UNAVAILABLE" && !isFailing) return null;
  const since = chain ? ` since ${clockText(chain.indexedAt)}` : "";
  // For how long is the service's setting, which it does not tell: true before it has passed, and after.
  return `The chain does not answer${since}; payments are taken for a limited time only, proposals and execution wait`;
}

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
  const silence = chainSilence(hearing, now);
  if (silence && !isSilent(hearing, now))
    return { level: "lost", lead: "", words: silence, title: "The service answers and keeps trying." };
  if (hearing.refusal && !isSilent(hearing, now))
    return {
      level: "lost",
      lead: "",
      words: `The service refuses the figures${hearing.figuresAt > 0 ? `; they are as of ${clockText(hearing.figuresAt)}` : ""}`,
      title: `${hearing.refusal}. The page keeps trying.`,
    };
  if (hearing.isLost || isSilent(hearing, now))
    return {
      level: "lost",
      lead: "",
      words: chain
        ? `No answer for ${spanText(now - hearing.answeredAt)}; figures as of ${clockText(hearing.figuresAt)}`
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
