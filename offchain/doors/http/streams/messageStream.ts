import type { RawData, WebSocket } from "ws";
import { z } from "zod";
import type { Config } from "#offchain/app/config.ts";
import type { Service } from "#offchain/app/service.ts";
import type { AdmittedMessage, OpenedStream } from "#offchain/app/stream.ts";
import { validate } from "#offchain/app/validate.ts";
import type { MessageOutcome } from "#offchain/core/call/stream.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { asBursarError, errorBody } from "../../error.ts";
import { parseBody } from "../body.ts";
import { type Holder, Places } from "../client/places.ts";
import type { HttpMetrics } from "../metrics.ts";

/** Close codes (RFC 6455 §7.4.1, and IANA's registry for 1013). */
const goingAway = 1001;
const tryAgainLater = 1013;

/** What a client sends; the action's input is checked by itself, so that its fields are called as in a call. */
const envelopeOf = (inputWord: string) =>
  z.object({
    /** The client's own; comes back with the answer. */
    id: z.string().min(1).max(64),
    [inputWord]: z.record(z.string(), z.unknown()),
  }) as unknown as z.ZodType<{ id: string }>;

interface Sent {
  readonly data: RawData;
  readonly isBinary: boolean;
}

interface Waiting {
  readonly id: string;
  readonly message: AdmittedMessage;
}

type Limits = Pick<
  Config["http"],
  | "paymentStreamsMax"
  | "paymentStreamsPerIpMax"
  | "paymentStreamWindow"
  | "paymentStreamMessageLimitBytes"
  | "streamHeartbeatMs"
>;

interface Options {
  readonly limits: Limits;
  readonly detailOf: Service["detailOf"];
  readonly metrics: HttpMetrics;
  readonly log: Log;
}

/** What a stream is served with. */
export interface StreamedCalls {
  /** As the pipeline of a call opened it for this caller. */
  readonly opened: Extract<OpenedStream, { kind: "messages" }>;
  /** What a message calls the action's input, and its answer the output. */
  readonly words: { readonly input: string; readonly output: string };
  /** Stands in its errors and log lines. */
  readonly requestId: string;
}

/** Actions that are streamed as messages, by WebSocket (RFC 6455): one JSON message each way, told apart by the client's ids. */
export interface MessageStreams {
  /** @throws BursarError OVERLOADED, RATE_LIMITED when too many streams are open */
  assertRoom(holder: Holder): void;
  /** Serves a stream that was let in. */
  open(holder: Holder, socket: WebSocket, calls: StreamedCalls): void;
  /** Takes nothing new, answers what was taken in, and ends every stream; after `timeoutMs` also those whose client does not read. */
  drain(timeoutMs: number): Promise<void>;
}

export function createMessageStreams(options: Options): MessageStreams {
  const { limits, metrics } = options;
  const streams = new Set<Stream>();
  const places = new Places({
    what: "payment streams",
    limit: "paymentStreamsMax",
    most: limits.paymentStreamsMax,
    share: limits.paymentStreamsPerIpMax,
  });
  let whenEmpty = () => {};

  return {
    assertRoom: (holder) => places.assertRoom(holder),

    open(holder, socket, calls) {
      let leave: () => void;
      try {
        leave = places.take(holder, () => socket.close(tryAgainLater, "OVERLOADED"));
      } catch (error) {
        // Between the answer and the handshake others have come.
        return socket.close(tryAgainLater, asBursarError(error).code);
      }
      const stream = new Stream(socket, calls, options);
      streams.add(stream);
      metrics.paymentStreams.inc();
      socket.once("close", () => {
        leave();
        streams.delete(stream);
        metrics.paymentStreams.dec();
        if (streams.size === 0) whenEmpty();
      });
    },

    async drain(timeoutMs) {
      if (streams.size === 0) return;
      const emptied = new Promise<void>((resolve) => {
        whenEmpty = resolve;
      });
      for (const stream of [...streams]) stream.drain();
      const timer = setTimeout(() => {
        for (const stream of [...streams]) stream.terminate();
      }, timeoutMs);
      await emptied;
      clearTimeout(timer);
    },
  };
}

/**
 * One client's stream. Messages of one lane are run in the order in which they were sent; lanes do not wait for each
 * other. A message has its place in the window until its answer has left this process: a client that sends
 * too fast or reads too slowly is not read any further, so a stream costs a window of memory at most.
 */
class Stream {
  readonly #socket: WebSocket;
  readonly #calls: StreamedCalls;
  readonly #envelope: ReturnType<typeof envelopeOf>;
  readonly #options: Options;
  readonly #heartbeat: NodeJS.Timeout;
  /** Come faster than the rate of their sender, and so not looked at yet. */
  #early: Sent[] = [];
  /** Until the first of them may come. */
  #wait: NodeJS.Timeout | null = null;
  /** Read, and not run yet. */
  #waiting: Waiting[] = [];
  /** Ids of messages without an answer. */
  readonly #ids = new Set<string>();
  /** Lanes of which messages are being run. */
  readonly #busy = new Set<string>();
  /** Messages read whose answers have not left. */
  #open = 0;
  /** Of these, whose answers are not written: it is the service that is slow. */
  #unanswered = 0;
  #isScheduled = false;
  #isDraining = false;
  /** Whether the client was heard of since the last heartbeat. */
  #isAlive = true;

  constructor(socket: WebSocket, calls: StreamedCalls, options: Options) {
    this.#socket = socket;
    this.#calls = calls;
    this.#envelope = envelopeOf(calls.words.input);
    this.#options = options;
    const { paymentStreamWindow, paymentStreamMessageLimitBytes, streamHeartbeatMs } = options.limits;
    this.#heartbeat = setInterval(() => this.#beat(), streamHeartbeatMs);
    socket.on("message", (data, isBinary) => this.#read(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    // The library answers a fault with its close code; nothing is left to do.
    socket.on("error", (error) =>
      options.log.debug({ requestId: calls.requestId, err: error }, "a payment stream broke the protocol"),
    );
    socket.once("close", () => {
      clearInterval(this.#heartbeat);
      this.#stopWaiting();
      this.#early = [];
    });
    socket.send(
      JSON.stringify({ window: paymentStreamWindow, messageLimitBytes: paymentStreamMessageLimitBytes }),
    );
  }

  drain(): void {
    this.#isDraining = true;
    this.#stopWaiting();
    this.#takeEarly();
    this.#closeWhenAnswered();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #read(data: RawData, isBinary: boolean): void {
    this.#isAlive = true;
    this.#open += 1;
    this.#unanswered += 1;
    if (this.#open >= this.#options.limits.paymentStreamWindow) this.#socket.pause();
    this.#early.push({ data, isBinary });
    if (this.#wait === null) this.#takeEarly();
  }

  /** In their order, as fast as their sender may; meanwhile nothing further is read. */
  #takeEarly(): void {
    for (let sent = this.#early[0]; sent; sent = this.#early[0]) {
      const waitMs = this.#isDraining ? 0 : this.#calls.opened.spend();
      if (waitMs > 0) {
        this.#socket.pause();
        this.#wait = setTimeout(() => {
          this.#wait = null;
          this.#takeEarly();
        }, waitMs);
        return;
      }
      this.#early.shift();
      this.#take(sent);
    }
    this.#readOn();
  }

  #stopWaiting(): void {
    if (this.#wait) clearTimeout(this.#wait);
    this.#wait = null;
  }

  #take({ data, isBinary }: Sent): void {
    let id: string | null = null;
    try {
      // With the default binary type the library gives one buffer.
      const message = parseBody(data as Buffer, isBinary ? "application/octet-stream" : "application/json");
      id = typeof message.id === "string" ? message.id.slice(0, 64) : null;
      const sent = validate(this.#envelope, message);
      if (this.#isDraining)
        throw new BursarError("SHUTTING_DOWN", "the service is stopping; send the payment again soon");
      if (this.#ids.has(sent.id)) throw idInUse(sent.id);
      const { opened, words } = this.#calls;
      this.#waiting.push({ id: sent.id, message: opened.admit(message[words.input]) });
      this.#ids.add(sent.id);
      this.#schedule();
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  /** What arrives together is run together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#runNext();
    });
  }

  #runNext(): void {
    const lanes = Map.groupBy(this.#waiting, ({ message: { lane } }) => lane);
    this.#waiting = this.#waiting.filter(({ message: { lane } }) => this.#busy.has(lane));
    // Each by itself: a lane that is slow holds up no other.
    for (const [lane, group] of lanes) if (!this.#busy.has(lane)) void this.#run(lane, group);
  }

  async #run(lane: string, group: readonly Waiting[]): Promise<void> {
    this.#busy.add(lane);
    const outcomes = await this.#outcomes(group.map(({ message }) => message));
    for (const [at, { id }] of group.entries()) {
      this.#ids.delete(id);
      const outcome = outcomes[at];
      if (outcome?.ok) this.#answer({ id, [this.#calls.words.output]: outcome.output }, "accepted");
      else this.#refuse(id, outcome?.error);
    }
    this.#busy.delete(lane);
    if (this.#waiting.length > 0) this.#runNext();
  }

  /** What fails as a whole fails for each: nothing is done, or what is done is told to whoever sends it again. */
  async #outcomes(messages: readonly AdmittedMessage[]): Promise<readonly MessageOutcome[]> {
    try {
      return await this.#calls.opened.run(messages);
    } catch (thrown) {
      const error = asBursarError(thrown);
      if (error.code === "INTERNAL")
        this.#options.log.error(
          { requestId: this.#calls.requestId, err: thrown },
          "streamed messages failed",
        );
      return messages.map(() => ({ ok: false, error }));
    }
  }

  #refuse(id: string | null, thrown: unknown): void {
    const error = asBursarError(thrown);
    const { detailOf } = this.#options;
    this.#answer({ id, error: errorBody(error, { requestId: this.#calls.requestId, detailOf }) }, error.code);
  }

  #answer(answer: object, code: string): void {
    this.#options.metrics.paymentStreamAnswers.inc({ code });
    this.#unanswered -= 1;
    // Also called, with an error, when the client is gone.
    this.#socket.send(JSON.stringify(answer), () => this.#sent());
    if (this.#isDraining) this.#closeWhenAnswered();
  }

  #sent(): void {
    this.#isAlive = true;
    this.#open -= 1;
    this.#readOn();
  }

  #readOn(): void {
    const hasRoom = this.#wait === null && this.#open < this.#options.limits.paymentStreamWindow;
    if (hasRoom && this.#socket.isPaused) this.#socket.resume();
  }

  /** The closing frame goes out behind the answers that were written before it. */
  #closeWhenAnswered(): void {
    if (this.#ids.size === 0) this.#socket.close(goingAway, "SHUTTING_DOWN");
  }

  /** Ends the stream of a client that has shown no sign of life since the last beat, unless it waits for the service. */
  #beat(): void {
    const isLost = !this.#isAlive && this.#unanswered === 0;
    this.#isAlive = false;
    if (isLost) this.#socket.terminate();
    else this.#socket.ping();
  }
}

const idInUse = (id: string) =>
  new BursarError("VALIDATION_INVALID_INPUT", `id: ${id} is the id of a message that has no answer yet`, {
    facts: { id },
    fields: [{ field: "id", message: "must not be the id of a message without an answer", value: id }],
  });
