import { BursarError } from "#offchain/core/error.ts";

export interface FairQueueOptions {
  /** What is done, in the plural, for the error. */
  readonly what: string;
  /** Works done at once: in all, and of one caller. */
  readonly atOnce: number;
  readonly atOnceOfOne: number;
  /** Works that may wait, in all. */
  readonly waitingMax: number;
  /** How long a work waits at the most, ms; 4,000 unless it is said. */
  readonly patienceMs?: number;
}

/** Whoever asks is to be told within five seconds. */
const defaultPatienceMs = 4_000;

interface Waiting {
  readonly start: () => void;
  readonly refuse: (error: BursarError) => void;
}

interface Queue {
  running: number;
  readonly waiting: Waiting[];
}

/**
 * Does work for many callers, a few at a time, each caller in turn: one that asks for much waits for itself. When too
 * many wait, whoever has most waiting loses the newest of it to one that has less; and nobody waits for long.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** By caller, the one whose turn is next first. */
  readonly #queues = new Map<string, Queue>();
  #running = 0;
  #waiting = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** @throws what the work throws; BursarError OVERLOADED when too many wait */
  async run<T>(caller: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(caller) ?? { running: 0, waiting: [] };
    this.#queues.set(caller, queue);
    try {
      if (!this.#mayRun(queue)) await this.#wait(queue);
      else this.#begin(queue);
    } catch (error) {
      this.#forget(caller, queue);
      throw error;
    }
    try {
      return await work();
    } finally {
      this.#running -= 1;
      queue.running -= 1;
      this.#forget(caller, queue);
      this.#next();
    }
  }

  #forget(caller: string, { running, waiting }: Queue): void {
    if (running === 0 && waiting.length === 0) this.#queues.delete(caller);
  }

  #mayRun({ running }: Queue): boolean {
    return this.#running < this.#options.atOnce && running < this.#options.atOnceOfOne;
  }

  #begin(queue: Queue): void {
    this.#running += 1;
    queue.running += 1;
  }

  #wait(queue: Queue): Promise<void> {
    if (this.#waiting >= this.#options.waitingMax) this.#makeRoom(queue);
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(queue, waiting), this.#patienceMs);
      const waiting: Waiting = {
        start() {
          clearTimeout(timer);
          resolve();
        },
        refuse(error) {
          clearTimeout(timer);
          reject(error);
        },
      };
      queue.waiting.push(waiting);
    });
  }

  get #patienceMs(): number {
    return this.#options.patienceMs ?? defaultPatienceMs;
  }

  #giveUp(queue: Queue, late: Waiting): void {
    queue.waiting.splice(queue.waiting.indexOf(late), 1);
    this.#waiting -= 1;
    const { what } = this.#options;
    const words = `${what} before this one took longer than ${this.#patienceMs} ms; send it again`;
    late.refuse(new BursarError("OVERLOADED", words, { facts: { limit: this.#patienceMs } }));
  }

  /** @throws BursarError OVERLOADED when nobody has clearly more waiting than this one */
  #makeRoom(queue: Queue): void {
    const { what, waitingMax } = this.#options;
    const overloaded = () =>
      new BursarError("OVERLOADED", `${waitingMax} ${what} wait already`, { facts: { limit: waitingMax } });
    let most = queue;
    for (const other of this.#queues.values()) if (other.waiting.length > most.waiting.length) most = other;
    const isFair = most.waiting.length > queue.waiting.length + 1;
    const lost = isFair ? most.waiting.pop() : undefined;
    if (!lost) throw overloaded();
    this.#waiting -= 1;
    lost.refuse(overloaded());
  }

  #next(): void {
    for (const [caller, queue] of this.#queues) {
      if (queue.waiting.length === 0 || !this.#mayRun(queue)) continue;
      const next = queue.waiting.shift();
      // Its next one comes after everybody else's.
      this.#queues.delete(caller);
      this.#queues.set(caller, queue);
      this.#waiting -= 1;
      this.#begin(queue);
      next?.start();
      return;
    }
  }
}
