import { setTimeout as delay } from "node:timers/promises";

/** After so long without any answer the server is asked for a sign of life, ms. */
const quietMs = 1_000;
/** How often it is looked whether it is that quiet. */
const lookEveryMs = 250;
/** The sign of life is waited for in slices: when this process stands still, that is not the server's silence. */
const signSlices = 6;
const sliceMs = 250;

/** What is watched: the connections of a pool. */
export interface Watched {
  /** Whether anything waits for an answer. */
  isAsking(): boolean;
  /** Resolves when the server says anything on a connection of its own, or refuses one. */
  sign(): Promise<void>;
  onSilent(): void;
}

/**
 * Notices a server that holds its connections and says nothing: one that is stopped, or gone without a goodbye. A long
 * statement alone is no silence, as the server answers another meanwhile.
 */
export class Pulse {
  readonly #watched: Watched;
  #timer: NodeJS.Timeout | null = null;
  #heardAt = 0;
  #isAskingForSign = false;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Something was asked. */
  asked(): void {
    if (this.#timer !== null) return;
    this.#heardAt = performance.now();
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  /** The server said something. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    if (!this.#watched.isAsking()) this.stop();
    else if (!this.#isAskingForSign && performance.now() - this.#heardAt >= quietMs) void this.#askForSign();
  }

  async #askForSign(): Promise<void> {
    this.#isAskingForSign = true;
    const askedAt = performance.now();
    const sign = this.#watched.sign().then(
      () => this.heard(),
      () => this.heard(),
    );
    for (let slice = 0; slice < signSlices && this.#heardAt < askedAt; slice += 1)
      await Promise.race([sign, delay(sliceMs, undefined, { ref: false })]);
    this.#isAskingForSign = false;
    if (this.#heardAt < askedAt && this.#timer !== null) this.#watched.onSilent();
  }
}
