import { Worker } from "node:worker_threads";
import { publicKeyBytes, signatureBytes } from "./curve.ts";

/** Recovers signers on threads of their own, so that the curve's arithmetic holds nothing else up. */
export interface Recovery {
  /**
   * The public keys (x, y) behind digests and parsed signatures, in order; see `recoverPublicKeys`. Questions that
   * come while the threads are busy go together in the next one: there is no timer.
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
  readonly resolve: (keys: Uint8Array[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Small enough that several threads share a burst, large enough that the message costs nothing beside it. */
const taskMax = 400;

const ownThread = new URL("./recoveryThread.ts", import.meta.url);

/** @param thread what a thread runs; only tests have another */
export function startRecovery(threads: number, thread = ownThread): Recovery {
  const waiting: Waiting[] = [];
  const lanes = Array.from({ length: threads }, () => new Lane(thread));

  function dispatch(): void {
    for (const lane of lanes) {
      if (waiting.length === 0) return;
      if (lane.isBusy) continue;
      void lane.run(take(waiting)).then(dispatch);
    }
  }

  return {
    recover(questions) {
      if (questions.length === 0) return Promise.resolve([]);
      return new Promise((resolve, reject) => {
        waiting.push({ questions, resolve, reject });
        dispatch();
      });
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** The oldest callers' questions: one caller's at least, then as many as fit. */
function take(waiting: Waiting[]): Waiting[] {
  let [count, size] = [0, 0];
  for (const { questions } of waiting) {
    if (count > 0 && size + questions.length > taskMax) break;
    size += questions.length;
    count += 1;
  }
  return waiting.splice(0, count);
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

  async run(group: readonly Waiting[]): Promise<void> {
    this.isBusy = true;
    try {
      const keys = await this.#ask(group.flatMap(({ questions }) => questions));
      let from = 0;
      for (const { questions, resolve } of group) {
        resolve(
          questions.map((_, at) =>
            keys.subarray((from + at) * publicKeyBytes, (from + at + 1) * publicKeyBytes),
          ),
        );
        from += questions.length;
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
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
