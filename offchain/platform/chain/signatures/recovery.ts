import { Worker } from "node:worker_threads";
import { publicKeyBytes, signatureBytes } from "./curve.ts";

/** Recovers signers on threads of their own, so that the curve's arithmetic holds nothing else up. */
export interface Recovery {
  /**
   * The public keys (x, y) behind digests and parsed signatures, in order; see `recoverPublicKeys`. Questions that
   * come while the threads are busy go together in the next one: there is no timer. Callers take turns, so that a few
   * questions do not wait for another's thousand.
   */
  recover(questions: readonly RecoveryQuestion[]): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

export interface RecoveryQuestion {
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** As `parseSignature` gives it. */
  readonly signature: Uint8Array;
}

/** What a thread is asked. */
export interface RecoveryTask {
  readonly digests: Uint8Array;
  readonly signatures: Uint8Array;
}

interface Waiting {
  readonly questions: readonly RecoveryQuestion[];
  readonly keys: Uint8Array[];
  /** How many were handed to a thread. */
  taken: number;
  answered: number;
  readonly resolve: (keys: Uint8Array[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions of one caller that go to a thread together. */
interface Slice {
  readonly of: Waiting;
  readonly from: number;
  readonly to: number;
}

/** Small enough that several threads share a burst, large enough that the message costs nothing beside it. */
const taskMax = 400;
/** What one caller gets of a task before it is the next one's turn. */
const turnMax = 50;

const ownThread = new URL("./recoveryThread.ts", import.meta.url);

/** @param thread what a thread runs; only tests have another */
export function startRecovery(threads: number, thread = ownThread): Recovery {
  const waiting: Waiting[] = [];
  const lanes = Array.from({ length: threads }, () => new Lane(thread));

  function dispatch(): void {
    for (const lane of lanes) {
      if (waiting.length === 0) return;
      if (lane.isBusy) continue;
      void serve(lane, take(waiting)).then(dispatch);
    }
  }

  async function serve(lane: Lane, slices: readonly Slice[]): Promise<void> {
    try {
      answer(slices, await lane.run(slices.flatMap(({ of, from, to }) => of.questions.slice(from, to))));
    } catch (error) {
      fail(waiting, slices, error);
    }
  }

  return {
    recover(questions) {
      if (questions.length === 0) return Promise.resolve([]);
      return new Promise((resolve, reject) => {
        waiting.push({ questions, keys: [], taken: 0, answered: 0, resolve, reject });
        dispatch();
      });
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** The next task: callers in turn, who come last again with what is left of theirs. */
function take(waiting: Waiting[]): Slice[] {
  const slices: Slice[] = [];
  for (let size = 0; size < taskMax; ) {
    const caller = waiting.shift();
    if (!caller) break;
    const from = caller.taken;
    const to = Math.min(caller.questions.length, from + turnMax, from + taskMax - size);
    caller.taken = to;
    size += to - from;
    slices.push({ of: caller, from, to });
    if (to < caller.questions.length) waiting.push(caller);
  }
  return slices;
}

/** Nothing more is asked for whoever was told that it failed. */
function fail(waiting: Waiting[], slices: readonly Slice[], error: unknown): void {
  for (const { of: caller } of slices) {
    caller.reject(error);
    const at = waiting.indexOf(caller);
    if (at >= 0) waiting.splice(at, 1);
  }
}

function answer(slices: readonly Slice[], keys: Uint8Array): void {
  let row = 0;
  for (const { of: caller, from, to } of slices) {
    for (let at = from; at < to; at += 1, row += 1)
      caller.keys[at] = keys.subarray(row * publicKeyBytes, (row + 1) * publicKeyBytes);
    caller.answered += to - from;
    if (caller.answered === caller.questions.length) caller.resolve(caller.keys);
  }
}

/** One thread, which has one task at a time. A thread that dies fails its task, and another takes its place. */
class Lane {
  isBusy = false;
  #worker: Worker | null = null;
  #answer: ((keys: Uint8Array) => void) | null = null;
  #fail: ((error: unknown) => void) | null = null;
  readonly #thread: URL;

  constructor(thread: URL) {
    this.#thread = thread;
  }

  #started(): Worker {
    const worker = new Worker(this.#thread);
    worker.unref();
    worker.on("message", (keys: Uint8Array) => this.#answer?.(keys));
    worker.on("error", (error) => this.#fail?.(error));
    worker.on("exit", () => {
      this.#worker = null;
      this.#fail?.(new Error("the recovery thread has ended"));
    });
    return worker;
  }

  /** The keys of these questions, one behind the other. */
  async run(questions: readonly RecoveryQuestion[]): Promise<Uint8Array> {
    this.isBusy = true;
    try {
      return await this.#ask(questions);
    } finally {
      this.isBusy = false;
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(questions: readonly RecoveryQuestion[]): Promise<Uint8Array> {
    const digests = new Uint8Array(questions.length * 32);
    const signatures = new Uint8Array(questions.length * signatureBytes);
    for (const [at, { digest, signature }] of questions.entries()) {
      digests.set(digest, at * 32);
      signatures.set(signature, at * signatureBytes);
    }
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
      const task: RecoveryTask = { digests, signatures };
      this.#worker ??= this.#started();
      this.#worker.postMessage(task, [digests.buffer, signatures.buffer]);
    });
  }
}
