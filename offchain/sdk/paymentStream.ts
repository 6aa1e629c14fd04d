import { pathOnChain } from "#offchain/core/call/chainPath.ts";
import { BursarError, invalidField } from "#offchain/core/error.ts";
import { type Backoff, backoffMs } from "#offchain/core/pause.ts";
import { type Client, type ClientOptions, errorOf } from "./client.ts";
import { serviceUrl } from "./http/reach.ts";
import { isPassing } from "./http/retry.ts";

type PaymentBody = Parameters<Client["payments"]["pay"]>[0];
type Receipt = Awaited<ReturnType<Client["payments"]["pay"]>>;

export interface PaymentStreamOptions {
  /** The service's address, e.g. `http://127.0.0.1:4020`. */
  url: string;
  /** The chain of the channels, by its id; without it the service's default one. */
  chain?: number;
  /** How long a voucher may be without an answer before its `pay` gives up, ms. */
  deadlineMs?: number;
  /** A connection that owes answers and says nothing for this long is taken for dead, ms. */
  silenceMs?: number;
  /** Signs the stream's own request: cleared payments are taken from a stream of their payer alone. */
  authorize?: ClientOptions["authorize"];
  /** Hangs up and gives up everything that has no answer. */
  signal?: AbortSignal;
  /** Where there is no global one: the class of the npm package `ws`, for one. */
  WebSocket?: HeaderSocket;
}

/** Signed vouchers over one connection, many at once; see `docs/micropayments.md`. */
export interface PaymentStream {
  /**
   * Sends a voucher and resolves with its receipt, which is durable. Vouchers leave in the order of the calls, as many
   * at once as the service takes; after a lost connection those without an answer are sent again, in order, and each is
   * booked once. With `amount` in it, a voucher is refused, not merged, if the one before it was.
   * @throws BursarError as the service refused it; PAYMENT_UNANSWERED after the deadline: it may be booked, and sending
   * it again says so
   */
  pay(payment: PaymentBody): Promise<Receipt>;
  /** Resolves once a further voucher would leave at once: who waits for it never holds more than the service takes. */
  ready(): Promise<void>;
  /** Resolves once everything is answered, and hangs up. */
  close(): Promise<void>;
}

interface Entry {
  readonly id: string;
  readonly text: string;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

interface Greeting {
  window: number;
  messageLimitBytes: number;
}

interface Answer {
  id: string | null;
  receipt?: Receipt;
  error?: unknown;
}

const usualDeadlineMs = 60_000;
const usualSilenceMs = 20_000;
const backoff: Backoff = { firstMs: 50, longestMs: 1_000 };

const path = "/api/v1/micropayments/stream";
const encoder = new TextEncoder();

/** Node's own and `ws` take headers; a browser's does not, and cannot open a signed stream. */
type HeaderSocket = new (url: URL, options?: { headers: Record<string, string> }) => WebSocket;

/**
 * Nothing is connected before the first voucher, nor while none is open after a connection was lost.
 * @throws BursarError VALIDATION_INVALID_INPUT: no address of a service, or there is no WebSocket
 */
export function openPaymentStream(options: PaymentStreamOptions): PaymentStream {
  return new Stream(options);
}

/** @throws BursarError VALIDATION_INVALID_INPUT: Node has a WebSocket of its own from version 22 on */
function assertSocket(socket: unknown): void {
  if (typeof socket === "function") return;
  throw invalidField(
    "WebSocket",
    "must be given where there is no global one, as in Node 20: the class of the npm package ws",
  );
}

class Stream implements PaymentStream {
  readonly #options: PaymentStreamOptions;
  readonly #path: string;
  /** Without an answer, oldest first. */
  readonly #open = new Map<string, Entry>();
  /** Of these, in order, what this connection has not sent. */
  #unsent = new Set<Entry>();
  #socket: WebSocket | null = null;
  /** The request is being signed. */
  #isDialing = false;
  #greeting: Greeting | null = null;
  /** Connections lost since something was last answered. */
  #failures = 0;
  #pause: NodeJS.Timeout | null = null;
  #silence: NodeJS.Timeout | null = null;
  #count = 0;
  /** Told whenever something was answered or given up. */
  #waiting: (() => void)[] = [];

  constructor(options: PaymentStreamOptions) {
    this.#options = options;
    serviceUrl(path, options.url.replace(/^ws/, "http"));
    assertSocket(options.WebSocket ?? globalThis.WebSocket);
    this.#path = options.chain === undefined ? path : pathOnChain(path, options.chain);
    options.signal?.addEventListener("abort", () => this.#abort(), { once: true });
  }

  pay = (payment: PaymentBody): Promise<Receipt> => {
    const { signal, deadlineMs = usualDeadlineMs } = this.#options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = String(this.#count++);
    const text = JSON.stringify({ id, payment }, (_, value) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#conclude(id, () => reject(unanswered(deadlineMs))), deadlineMs);
      const entry = { id, text, resolve, reject, timer };
      this.#open.set(id, entry);
      this.#unsent.add(entry);
      if (this.#socket || this.#pause || this.#isDialing) this.#send();
      else this.#connect();
      if (!this.#silence) this.#listen();
    });
  };

  async ready(): Promise<void> {
    // Before the greeting the window is not known: one voucher fetches it.
    while (this.#open.size >= (this.#greeting?.window ?? 1)) await this.#change();
  }

  async close(): Promise<void> {
    while (this.#open.size > 0) await this.#change();
    this.#hangUp();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #connect(): void {
    const { authorize, url } = this.#options;
    if (!authorize) {
      this.#dial();
      return;
    }
    this.#isDialing = true;
    authorize({ method: "GET", path: this.#path, body: "", origin: new URL(url).origin })
      .then(
        (headers) => this.#open.size > 0 && this.#dial(headers),
        (error: unknown) => this.#giveUp(error),
      )
      .finally(() => {
        this.#isDialing = false;
      });
  }

  #dial(headers?: Record<string, string>): void {
    const { url, WebSocket = globalThis.WebSocket as HeaderSocket } = this.#options;
    const target = new URL(this.#path, url.replace(/^http/, "ws"));
    const socket = headers ? new WebSocket(target, { headers }) : new WebSocket(target);
    this.#socket = socket;
    this.#greeting = null;
    this.#unsent = new Set(this.#open.values());
    this.#listen();
    // What an abandoned connection still says is not heard: its vouchers have been sent again.
    const isCurrent = () => this.#socket === socket;
    socket.addEventListener("message", ({ data }) => isCurrent() && this.#read(String(data)));
    socket.addEventListener("close", () => isCurrent() && this.#reconnect());
    socket.addEventListener("error", () => isCurrent() && this.#reconnect());
  }

  /** Hangs up, and tries again after a pause if something is without an answer. */
  #reconnect(): void {
    this.#hangUp();
    if (this.#open.size === 0) return;
    this.#failures += 1;
    this.#pause = setTimeout(
      () => {
        this.#pause = null;
        if (this.#open.size > 0) this.#connect();
      },
      backoffMs(this.#failures, backoff),
    );
  }

  #hangUp(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (this.#silence) clearTimeout(this.#silence);
    if (this.#pause) clearTimeout(this.#pause);
    this.#silence = this.#pause = null;
    socket?.close();
  }

  /** Waits anew for the next word, if any is owed. */
  #listen(): void {
    if (this.#silence) clearTimeout(this.#silence);
    const isOwed = this.#socket !== null && this.#open.size > 0;
    const { silenceMs = usualSilenceMs } = this.#options;
    this.#silence = isOwed ? setTimeout(() => this.#reconnect(), silenceMs) : null;
  }

  #read(text: string): void {
    const message = JSON.parse(text) as Greeting | Answer;
    if ("window" in message) this.#greeting = message;
    else this.#take(message);
    this.#listen();
    this.#send();
    this.#tell();
  }

  #take({ id, receipt, error }: Answer): void {
    const entry = this.#open.get(id ?? "");
    if (!entry) return;
    if (receipt) {
      this.#failures = 0;
      this.#conclude(entry.id, () => entry.resolve(receipt));
      return;
    }
    const refusal = errorOf(error, 500);
    // Those behind it build upon it: all are sent again, in order, over a new connection.
    if (isPassing(refusal)) this.#reconnect();
    else this.#conclude(entry.id, () => entry.reject(refusal));
  }

  /** As many as the service takes at once. */
  #send(): void {
    if (!this.#socket || !this.#greeting) return;
    const { window, messageLimitBytes } = this.#greeting;
    for (const entry of this.#unsent) {
      if (this.#open.size - this.#unsent.size >= window) return;
      this.#unsent.delete(entry);
      // A larger one would end the connection, for all.
      const bytes = encoder.encode(entry.text).length;
      if (bytes <= messageLimitBytes) this.#socket.send(entry.text);
      else this.#conclude(entry.id, () => entry.reject(tooLarge(bytes, messageLimitBytes)));
    }
  }

  #conclude(id: string, end: () => void): void {
    const entry = this.#open.get(id);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#open.delete(id);
    this.#unsent.delete(entry);
    end();
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #abort(): void {
    this.#giveUp(this.#options.signal?.reason);
  }

  #giveUp(reason: unknown): void {
    this.#hangUp();
    for (const { id, reject } of [...this.#open.values()]) this.#conclude(id, () => reject(reason));
  }
}

const unanswered = (deadlineMs: number) =>
  new BursarError("PAYMENT_UNANSWERED", "the service has not answered this voucher; send the same again", {
    facts: { deadlineMs },
  });

const tooLarge = (bytes: number, limitBytes: number) =>
  new BursarError("BODY_TOO_LARGE", `the message is above ${limitBytes} bytes`, {
    facts: { bytes, limitBytes },
  });
