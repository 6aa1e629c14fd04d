import { isYounger } from "../../age.ts";
import type { IndexingProgress } from "../port.ts";

/** What one commit of the indexer carried. */
interface Step {
  /** When it began, epoch ms. */
  startedAt: number;
  blocks: number;
  events: number;
}

/** How far back the pace looks: long enough to be calm, short enough to follow a provider that slows down. */
const windowMs = 15_000;

/** How fast blocks and events came in lately, and how long the rest will take at that. */
export class Pace {
  #steps: Step[] = [];

  /** A commit that took `tookMs`, waiting for the provider included, ended `now`. */
  stepped(step: { blocks: number; events: number; tookMs: number }, now: number): void {
    this.#steps.push({ startedAt: now - step.tookMs, blocks: step.blocks, events: step.events });
    this.#forget(now);
  }

  /** @param firstBlock the first that is worth indexing */
  progress(
    { firstBlock, indexedTo, head }: { firstBlock: number; indexedTo: number; head: number },
    now: number,
  ): IndexingProgress {
    this.#forget(now);
    const startedAt = this.#steps[0]?.startedAt ?? now;
    const seconds = Math.max(now - startedAt, 1) / 1_000;
    const perSecond = (count: (step: Step) => number) =>
      Math.round((this.#steps.reduce((sum, step) => sum + count(step), 0) / seconds) * 10) / 10;
    const blocksPerSecond = perSecond(({ blocks }) => blocks);
    const left = Math.max(0, head - indexedTo);
    const whole = head - firstBlock + 1;
    return {
      share: whole <= 0 || left === 0 ? 1 : Math.max(0, whole - left) / whole,
      blocksPerSecond,
      eventsPerSecond: perSecond(({ events }) => events),
      etaMs: left === 0 ? 0 : blocksPerSecond > 0 ? Math.round((left / blocksPerSecond) * 1_000) : null,
    };
  }

  #forget(now: number): void {
    const isKept = ({ startedAt }: Step) => isYounger(startedAt, windowMs + 1, now);
    if (this.#steps.every(isKept)) return;
    this.#steps = this.#steps.filter(isKept);
  }
}
