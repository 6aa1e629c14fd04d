import type { Clock } from "#offchain/core/clock.ts";
import { isYounger } from "../age.ts";
import type { ChainStatus } from "../chain/port.ts";
import type { Log } from "./log.ts";

/** Where a bar is drawn: a terminal, or nothing that matters. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const lineEveryMs = 5_000;
const drawEveryMs = 100;
const barCells = 30;
const narrowestColumns = 80;

/**
 * Tells how far the indexer is while it catches up: a bar on a terminal, and a line of the log every few seconds. Says
 * nothing while it follows the chain.
 */
export class ProgressTeller {
  readonly #options: { log: Log; clock: Clock; terminal?: Terminal | undefined };
  #saidAt: number;
  #drawnAt = 0;
  #isCatchingUp = false;

  constructor(options: { log: Log; clock: Clock; terminal?: Terminal | undefined }) {
    this.#options = options;
    // A backfill that is over before the first line would be due is not worth one.
    this.#saidAt = options.clock.now();
  }

  /** After every step of the indexer. */
  tell(status: ChainStatus): void {
    const now = this.#options.clock.now();
    if (status.state === "backfilling") {
      if (!this.#isCatchingUp) this.#saidAt = now;
      this.#isCatchingUp = true;
      this.#draw(status, now);
      if (isYounger(this.#saidAt, lineEveryMs, now)) return;
      this.#saidAt = now;
      this.#options.log.info(fieldsOf(status), progressText(status));
    } else if (this.#isCatchingUp && status.lagBlocks === 0) {
      this.#isCatchingUp = false;
      this.#erase();
      this.#options.log.info(fieldsOf(status), "caught up with the chain");
    }
  }

  #draw(status: ChainStatus, now: number): void {
    const { terminal } = this.#options;
    if (!terminal?.isTTY || isYounger(this.#drawnAt, drawEveryMs, now)) return;
    this.#drawnAt = now;
    terminal.write(
      `\r${bar(status.progress.share)} ${progressText(status)}`
        .slice(0, terminal.columns ?? narrowestColumns)
        .padEnd(terminal.columns ?? narrowestColumns),
    );
  }

  #erase(): void {
    const { terminal } = this.#options;
    if (terminal?.isTTY) terminal.write(`\r${" ".repeat(terminal.columns ?? narrowestColumns)}\r`);
  }
}

const fieldsOf = ({ chainId, head, indexedTo, progress }: ChainStatus) => ({
  chainId,
  head,
  indexedTo,
  ...progress,
});

/** In words: `indexing chain 31337: 42 %, block 4,200 of 10,000, 98,000 events/s, 12 s left`. */
export function progressText({ chainId, head, indexedTo, progress }: ChainStatus): string {
  const count = (value: bigint | number) => value.toLocaleString("en");
  const eta = progress.etaMs === null ? "time left unknown" : `${durationText(progress.etaMs)} left`;
  return `indexing chain ${chainId}: ${Math.floor(progress.share * 100)} %, block ${count(indexedTo)} of ${count(head)}, ${count(Math.round(progress.eventsPerSecond))} events/s, ${eta}`;
}

function durationText(timeMs: number): string {
  const seconds = Math.ceil(timeMs / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function bar(share: number): string {
  const full = Math.floor(share * barCells);
  return `${"█".repeat(full)}${"░".repeat(barCells - full)}`;
}
