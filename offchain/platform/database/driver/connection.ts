import { Client, type ClientOptions } from "pg";
import { ConnectionError, connectionLost, isStalePlan } from "./errors.ts";
import { Exchange, type Plans } from "./exchange.ts";
import type { Request, Rows } from "./request.ts";

/** Whom a connection tells how it fares. */
interface Watcher {
  /** An answer came: there is room for another query. */
  onRoom(): void;
  onLost(connection: Connection): void;
}

/** One connection of the pool. Several queries are on their way at a time, and are answered in the order of their sending. */
export class Connection {
  readonly #client: Client;
  readonly #watcher: Watcher;
  readonly #plans: Plans = new Map();
  /** What may not be sent before a COPY is over: anything else than its rows would break it off. */
  readonly #held: Request[] = [];
  #isCopying = false;
  #isCorked = false;
  #inFlight = 0;
  #lost: ConnectionError | null = null;
  /** A transaction has it for itself. */
  isReserved = false;
  /** Told of its loss, besides the pool. */
  onLost: ((error: ConnectionError) => void) | null = null;

  private constructor(client: Client, watcher: Watcher) {
    this.#client = client;
    this.#watcher = watcher;
  }

  /** @throws ConnectionError CONNECTION_FAILED */
  static async open(options: ClientOptions, watcher: Watcher): Promise<Connection> {
    const client = new Client({ ...options, pipeline: true });
    const connection = new Connection(client, watcher);
    let isOpen = false;
    // Without a listener an error event ends the process; before it is open, `connect` tells.
    client.on("error", (error: Error) => isOpen && connection.#lose(error));
    client.on("end", () => isOpen && connection.#lose(new Error("the server closed it")));
    await connected(client);
    isOpen = true;
    return connection;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get lost(): ConnectionError | null {
    return this.#lost;
  }

  send(request: Request): void {
    this.#inFlight += 1;
    this.#write(request);
  }

  /** Says goodbye; what is on its way is answered first. */
  async close(): Promise<void> {
    await this.#client.end();
  }

  /** Breaks it off: what is on its way is refused. */
  destroy(why = "it was broken off"): void {
    this.#lose(new Error(why));
  }

  #write(request: Request): void {
    if (this.#lost !== null) this.#settle(request, this.#lost, null);
    else if (this.#isCopying) this.#held.push(request);
    else {
      if (request.chunks !== null) this.#isCopying = true;
      this.#gather();
      this.#client.query(
        new Exchange(request, this.#plans, (error, rows) => this.#answered(request, error, rows)),
      );
    }
  }

  /** What is sent in one turn of the event loop goes to the socket together. */
  #gather(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const { stream } = this.#client.connection;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  #answered(request: Request, error: Error | null, rows: Rows): void {
    if (error instanceof ConnectionError) this.#lose(error);
    // In a transaction the first refusal is the last word: the server takes nothing more until it is rolled back.
    const isRetried = error !== null && isStalePlan(error) && !this.isReserved && !retried.has(request);
    if (isRetried) {
      retried.add(request);
      this.#write(request);
    } else this.#settle(request, error, rows);
  }

  #settle(request: Request, error: Error | null, rows: Rows | null): void {
    if (rows !== null && error === null) request.resolve(rows);
    else request.reject(error);
    this.#inFlight -= 1;
    if (request.chunks !== null) this.#goOnAfterCopy();
    this.#watcher.onRoom();
  }

  #goOnAfterCopy(): void {
    this.#isCopying = false;
    while (this.#held.length > 0 && !this.#isCopying) this.#write(this.#held.shift() as Request);
  }

  #lose(error: Error): void {
    if (this.#lost !== null) return;
    this.#lost = error instanceof ConnectionError ? error : connectionLost(error);
    this.#watcher.onLost(this);
    this.onLost?.(this.#lost);
    this.#client.connection.stream.destroy();
  }
}

/** Requests that met a stale plan: it is prepared anew once. */
const retried = new WeakSet<Request>();

async function connected(client: Client): Promise<void> {
  try {
    await client.connect();
  } catch (cause) {
    client.connection.stream.destroy();
    throw new ConnectionError("CONNECTION_FAILED", "no connection to the database could be opened", cause);
  }
}
