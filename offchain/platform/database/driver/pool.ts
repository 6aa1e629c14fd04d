import type { ClientOptions } from "pg";
import { BursarError } from "#offchain/core/error.ts";
import { withTimeout } from "#offchain/core/pause.ts";
import { Connection } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import { Pulse } from "./pulse.ts";
import { type Request, requestedText } from "./request.ts";

export interface PoolLimits {
  readonly maxConnections: number;
  /** Most callers waiting for a connection; beyond it they are turned away with OVERLOADED. */
  readonly maxWaiting: number;
}

/** Most queries on their way on one connection, as each waits for those in front of it. */
const maxInFlight = 100;

/** Waits for a connection: to send one query, or to have it alone. */
interface Waiting {
  readonly isAlone: boolean;
  take(connection: Connection): void;
  reject(error: unknown): void;
}

/** Connections to one database, opened as they are needed. A query takes any; a transaction has one to itself. */
export class Pool {
  readonly #options: ClientOptions;
  readonly #limits: PoolLimits;
  readonly #connections = new Set<Connection>();
  /** First come, first served: a transaction is not overtaken by queries that any connection would take. */
  readonly #waiting: Waiting[] = [];
  #opening = 0;
  #ending: Promise<void> | null = null;
  #isClosed = false;
  #whenIdle: (() => void) | null = null;
  readonly #pulse = new Pulse({
    isAsking: () => this.#isAsking(),
    sign: () => this.#sign(),
    onSilent: () => this.#giveUp(),
  });

  constructor(options: ClientOptions, limits: PoolLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  /** Sends a query on a connection that it may share with others. */
  readonly send = (request: Request): void => {
    this.#pulse.asked();
    const connection = this.#waiting.length === 0 && this.#ending === null ? this.#shareable() : null;
    if (connection !== null) connection.send(request);
    else
      this.#wait({ isAlone: false, take: (found) => found.send(request), reject: (e) => request.reject(e) });
  };

  /**
   * A connection for one caller alone, until it is released.
   * @throws BursarError OVERLOADED, ConnectionError
   */
  reserve(): Promise<Connection> {
    this.#pulse.asked();
    return new Promise((resolve, reject) => {
      const take = (connection: Connection) => {
        connection.isReserved = true;
        resolve(connection);
      };
      this.#wait({ isAlone: true, take, reject });
    });
  }

  release(connection: Connection): void {
    connection.isReserved = false;
    connection.onLost = null;
    this.#serve();
  }

  /**
   * Takes nothing more, and closes the connections when all that was begun is done.
   * @param timeoutMs after which what is still under way is broken off; never, if left out
   */
  end({ timeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    this.#ending ??= this.#end(timeoutMs);
    return this.#ending;
  }

  async #end(timeoutMs: number | undefined): Promise<void> {
    if (!this.#isIdle()) await settled(timeoutMs, new Promise<void>((done) => (this.#whenIdle = done)));
    this.#isClosed = true;
    this.#pulse.stop();
    for (const { reject } of this.#waiting.splice(0)) reject(ended());
    const connections = [...this.#connections];
    const closing = Promise.all(connections.map((connection) => connection.close()));
    if (this.#isIdle()) await settled(timeoutMs, closing);
    for (const connection of connections) connection.destroy();
  }

  #wait(waiting: Waiting): void {
    if (this.#ending !== null) waiting.reject(ended());
    else if (this.#waiting.length >= this.#limits.maxWaiting) waiting.reject(this.#overloaded());
    else {
      this.#waiting.push(waiting);
      this.#serve();
    }
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const connection = next.isAlone ? this.#idle() : this.#shareable();
      if (connection === null) break;
      this.#waiting.shift();
      next.take(connection);
    }
    this.#grow();
    if (this.#whenIdle !== null && this.#isIdle()) this.#whenIdle();
  }

  #idle(): Connection | null {
    for (const connection of this.#connections)
      if (connection.inFlight === 0 && !connection.isReserved) return connection;
    return null;
  }

  /** An idle connection; the least busy one when no more may be opened. */
  #shareable(): Connection | null {
    let best: Connection | null = null;
    let fewest = maxInFlight;
    for (const connection of this.#connections) {
      const { inFlight, isReserved } = connection;
      if (isReserved || inFlight >= fewest) continue;
      if (inFlight === 0) return connection;
      best = connection;
      fewest = inFlight;
    }
    return this.#connections.size < this.#limits.maxConnections ? null : best;
  }

  #isIdle(): boolean {
    if (this.#waiting.length > 0 || this.#opening > 0) return false;
    for (const { inFlight, isReserved } of this.#connections) if (inFlight > 0 || isReserved) return false;
    return true;
  }

  /** Opens as many connections as there are callers waiting, within the limit. */
  #grow(): void {
    while (
      this.#opening < this.#waiting.length &&
      this.#opening + this.#connections.size < this.#limits.maxConnections
    ) {
      this.#opening += 1;
      void this.#open();
    }
  }

  async #open(): Promise<void> {
    try {
      const connection = await Connection.open(this.#options, this);
      this.#opening -= 1;
      this.#connections.add(connection);
      this.#serve();
      // The pool was ended without waiting for it.
      if (this.#isClosed) connection.destroy();
    } catch (error) {
      this.#opening -= 1;
      this.#refuseAll(error);
    }
  }

  /** Nobody waits for what cannot be had: with no connection left each caller is told why, and may ask again. */
  #refuseAll(error: unknown): void {
    if (this.#connections.size === 0 && this.#opening === 0)
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    if (this.#whenIdle !== null && this.#isIdle()) this.#whenIdle();
  }

  onRoom(): void {
    this.#pulse.heard();
    if (this.#waiting.length > 0 || this.#whenIdle !== null) this.#serve();
  }

  onLost(connection: Connection): void {
    this.#connections.delete(connection);
    this.#serve();
  }

  /** Whoever waits is told now: to wait for a connection first, and then to be told, would take twice as long. */
  #giveUp(): void {
    const why = "the server says nothing";
    const silent = new ConnectionError("CONNECTION_FAILED", "the database does not answer", new Error(why));
    for (const { reject } of this.#waiting.splice(0)) reject(silent);
    for (const connection of [...this.#connections]) connection.destroy(why);
  }

  #isAsking(): boolean {
    for (const { inFlight } of this.#connections) if (inFlight > 0) return true;
    return false;
  }

  /** On a connection of its own: on the others an answer may be long in coming. */
  async #sign(): Promise<void> {
    const connection = await Connection.open(this.#options, { onRoom() {}, onLost() {} });
    try {
      await requestedText((request) => connection.send(request), "SELECT 1");
    } finally {
      connection.destroy();
    }
  }

  #overloaded(): BursarError {
    const facts = { waiting: this.#waiting.length, limit: this.#limits.maxWaiting };
    return new BursarError("OVERLOADED", "too many queries are waiting; try again in a moment", { facts });
  }
}

const ended = () =>
  new ConnectionError("CONNECTION_ENDED", "the pool of connections to the database is closed");

/** Waits for the work, but not for longer than this; without a limit, to its end. */
const settled = (timeoutMs: number | undefined, work: Promise<unknown>): Promise<unknown> =>
  timeoutMs === undefined ? work : withTimeout(work, timeoutMs, () => {});
