import type { RawData, WebSocket } from "ws";
import { z } from "zod";
import type { Config } from "#offchain/app/config.ts";
import type { Services } from "#offchain/app/features.ts";
import { validate } from "#offchain/app/validate.ts";
import { chainPath } from "#offchain/core/chainPath.ts";
import { BursarError } from "#offchain/core/error.ts";
import {
  type PaymentOutcome,
  type PaymentRequest,
  provenReceipt,
} from "#offchain/features/payments/service.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { asBursarError, errorBody } from "../../error.ts";
import { parseBody } from "../body.ts";
import type { HttpMetrics } from "../metrics.ts";

/** Signed vouchers by WebSocket (RFC 6455): one JSON message each way for a voucher, told apart by the client's ids. */
export const paymentStreamPath = "/api/v1/micropayments/stream";

const pathOnAnyChain = new RegExp(`^${chainPath(paymentStreamPath).replace("{chainId}", "[^/]+")}$`);

/** Whether payments of any chain are streamed under a path. */
export const isPaymentStream = (path: string): boolean =>
  path === paymentStreamPath || pathOnAnyChain.test(path);

/** Close codes (RFC 6455 §7.4.1, and IANA's registry for 1013). */
const goingAway = 1001;
const tryAgainLater = 1013;

/** What a client sends; `payment` is checked by itself, so that its fields are called as in `POST /api/v1/payments`. */
const envelope = z.object({
  /** The client's own; comes back with the answer. */
  id: z.string().min(1).max(64),
  payment: z.record(z.string(), z.unknown()),
});

interface Waiting {
  readonly id: string;
  readonly payment: PaymentRequest;
}

type Limits = Pick<
  Config["http"],
  | "paymentStreamsMax"
  | "paymentStreamWindow"
  | "paymentStreamMessageLimitBytes"
  | "streamHeartbeatMs"
  | "isDebug"
>;

interface Options {
  /** What a payment is, as the action says that each message calls. */
  readonly input: z.ZodType;
  readonly limits: Limits;
  readonly metrics: HttpMetrics;
  readonly log: Log;
}

/** Whose stream it is, and who takes its payments. */
export interface StreamPayer {
  /** Of the chain that the stream is for. */
  readonly payments: Pick<Services["payments"], "pay">;
  /** Who signed its request, if anybody did: cleared payments are taken from their payer alone. */
  readonly submitter: `0x${string}` | null;
  /** Stands in its errors and log lines. */
  readonly requestId: string;
}

export interface PaymentStreams {
  /** @throws BursarError OVERLOADED when too many streams are open */
  assertRoom(): void;
  /** Serves a stream that was let in. */
  open(socket: WebSocket, payer: StreamPayer): void;
  /** Takes nothing new, answers what was taken in, and ends every stream; after `timeoutMs` also those whose client does not read. */
  drain(timeoutMs: number): Promise<void>;
}

export function createPaymentStreams(options: Options): PaymentStreams {
  const { limits, metrics } = options;
  const streams = new Set<Stream>();
  let whenEmpty = () => {};

  return {
    assertRoom() {
      if (streams.size >= limits.paymentStreamsMax)
        throw new BursarError("OVERLOADED", `${limits.paymentStreamsMax} payment streams are open already`, {
          facts: { paymentStreamsMax: limits.paymentStreamsMax },
        });
    },

    open(socket, payer) {
      // Between the answer and the handshake others may have come.
      if (streams.size >= limits.paymentStreamsMax) return socket.close(tryAgainLater, "OVERLOADED");
      const stream = new Stream(socket, payer, options);
      streams.add(stream);
      metrics.paymentStreams.inc();
      socket.once("close", () => {
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
 * One client's stream. Payments of one channel are booked in the order in which they were sent; channels do not wait
 * for each other. A voucher has its place in the window until its answer has left this process: a client that sends
 * too fast or reads too slowly is not read any further, so a stream costs a window of memory at most.
 */
class Stream {
  readonly #socket: WebSocket;
  readonly #payer: StreamPayer;
  readonly #options: Options;
  readonly #heartbeat: NodeJS.Timeout;
  /** Read, and not with the intake yet. */
  #waiting: Waiting[] = [];
  /** Ids of vouchers without an answer. */
  readonly #ids = new Set<string>();
  /** Channels that the intake has payments of. */
  readonly #busy = new Set<string>();
  /** Messages read whose answers have not left. */
  #open = 0;
  /** Of these, whose answers are not written: it is the service that is slow. */
  #unanswered = 0;
  #isScheduled = false;
  #isDraining = false;
  /** Whether the client was heard of since the last heartbeat. */
  #isAlive = true;

  constructor(socket: WebSocket, payer: StreamPayer, options: Options) {
    this.#socket = socket;
    this.#payer = payer;
    this.#options = options;
    const { paymentStreamWindow, paymentStreamMessageLimitBytes, streamHeartbeatMs } = options.limits;
    this.#heartbeat = setInterval(() => this.#beat(), streamHeartbeatMs);
    socket.on("message", (data, isBinary) => this.#read(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    // The library answers a fault with its close code; nothing is left to do.
    socket.on("error", (error) =>
      options.log.debug({ requestId: payer.requestId, err: error }, "a payment stream broke the protocol"),
    );
    socket.once("close", () => clearInterval(this.#heartbeat));
    socket.send(
      JSON.stringify({ window: paymentStreamWindow, messageLimitBytes: paymentStreamMessageLimitBytes }),
    );
  }

  drain(): void {
    this.#isDraining = true;
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
    let id: string | null = null;
    try {
      // With the default binary type the library gives one buffer.
      const message = parseBody(data as Buffer, isBinary ? "application/octet-stream" : "application/json");
      id = typeof message.id === "string" ? message.id.slice(0, 64) : null;
      const sent = validate(envelope, message);
      if (this.#isDraining)
        throw new BursarError("SHUTTING_DOWN", "the service is stopping; send the payment again soon");
      if (this.#ids.has(sent.id)) throw idInUse(sent.id);
      this.#waiting.push({
        id: sent.id,
        payment: validate(this.#options.input, sent.payment) as PaymentRequest,
      });
      this.#ids.add(sent.id);
      this.#schedule();
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  /** What arrives together is booked together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#bookNext();
    });
  }

  #bookNext(): void {
    const channels = Map.groupBy(this.#waiting, ({ payment: { channelId } }) => channelId);
    this.#waiting = this.#waiting.filter(({ payment: { channelId } }) => this.#busy.has(channelId));
    // Each by itself: a channel whose payer's code must be asked about on the chain holds up no other.
    for (const [channelId, group] of channels)
      if (!this.#busy.has(channelId)) void this.#book(channelId, group);
  }

  async #book(channelId: string, group: readonly Waiting[]): Promise<void> {
    this.#busy.add(channelId);
    const outcomes = await this.#pay(group.map((waiting) => waiting.payment));
    for (const [at, { id }] of group.entries()) {
      this.#ids.delete(id);
      const outcome = outcomes[at];
      if (outcome?.ok) this.#answer({ id, receipt: provenReceipt(outcome) }, "accepted");
      else this.#refuse(id, outcome?.error);
    }
    this.#busy.delete(channelId);
    if (this.#waiting.length > 0) this.#bookNext();
  }

  /** What fails as a whole fails for each: nothing is booked, or what is booked is told to whoever sends it again. */
  async #pay(payments: readonly PaymentRequest[]): Promise<readonly PaymentOutcome[]> {
    try {
      return await this.#payer.payments.pay(payments, this.#payer.submitter);
    } catch (thrown) {
      const error = asBursarError(thrown);
      if (error.code === "INTERNAL")
        this.#options.log.error(
          { requestId: this.#payer.requestId, err: thrown },
          "streamed payments failed",
        );
      return payments.map(() => ({ ok: false, error }));
    }
  }

  #refuse(id: string | null, thrown: unknown): void {
    const error = asBursarError(thrown);
    const { isDebug } = this.#options.limits;
    this.#answer({ id, error: errorBody(error, { requestId: this.#payer.requestId, isDebug }) }, error.code);
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
    if (this.#open < this.#options.limits.paymentStreamWindow && this.#socket.isPaused) this.#socket.resume();
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
  new BursarError("VALIDATION_INVALID_INPUT", `id: ${id} is the id of a payment that has no answer yet`, {
    facts: { id },
    fields: [{ field: "id", message: "must not be the id of a payment without an answer", value: id }],
  });
