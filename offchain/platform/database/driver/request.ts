import { compile, type Statement, Template, type Value } from "./template.ts";
import type { Encoded } from "./types.ts";

/** A statement on its way to the server, and who waits for the answer. */
export interface Request {
  readonly text: string;
  /** Null if the text goes by itself: several statements, or one that is sent once. */
  readonly statement: Statement | null;
  readonly parameters: readonly Encoded[];
  /** What `COPY … FROM STDIN` is fed with. */
  readonly chunks: Iterable<Uint8Array> | null;
  resolve(rows: Rows): void;
  reject(error: unknown): void;
}

export type Send = (request: Request) => void;

/** The rows of a result. */
export class Rows<Row = unknown> extends Array<Row> {
  /** What `map` and its like make is an array like any other. */
  static override get [Symbol.species]() {
    return Array;
  }

  #count = 0;

  /** How many rows the statement returned or changed; 0 for one that does neither. */
  get count(): number {
    return this.#count;
  }

  /** @param tag how the server says that a statement is done, such as `UPDATE 3` */
  done(tag: string): void {
    const count = Number(tag.slice(tag.lastIndexOf(" ") + 1));
    this.#count = Number.isNaN(count) ? 0 : count;
  }
}

export type Result<List extends readonly unknown[]> = List & { readonly count: number };

/** A query that is sent when somebody waits for it, once. Inside another template it is a piece of that one's text. */
export class PendingQuery<List extends readonly unknown[]> extends Template implements Promise<Result<List>> {
  readonly [Symbol.toStringTag] = "PendingQuery";
  readonly #send: Send;
  #answer: Promise<Result<List>> | null = null;

  constructor(strings: readonly string[], values: readonly Value[], send: Send) {
    super(strings, values);
    this.#send = send;
  }

  /* biome-ignore lint/suspicious/noThenProperty: it is a promise, which starts when it is waited for. */
  then<Kept = Result<List>, Caught = never>(
    onKept?: ((rows: Result<List>) => Kept | PromiseLike<Kept>) | null,
    onBroken?: ((reason: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<Kept | Caught> {
    return this.#sent().then(onKept, onBroken);
  }

  catch<Caught = never>(
    onBroken?: ((reason: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<Result<List> | Caught> {
    return this.#sent().catch(onBroken);
  }

  finally(onEnd?: (() => void) | null): Promise<Result<List>> {
    return this.#sent().finally(onEnd);
  }

  /**
   * Feeds `COPY … FROM STDIN` (PostgreSQL manual, "COPY Operations") and resolves to the number of rows when the server
   * has them all.
   * @throws PostgresError when a row is refused, ConnectionError, or what `chunks` throws; the transaction is then lost
   */
  async copyIn(chunks: Iterable<Uint8Array>): Promise<number> {
    const text = compile(this).statement.text;
    const rows = await requested(this.#send, { text, statement: null, parameters: [], chunks });
    return rows.count;
  }

  #sent(): Promise<Result<List>> {
    this.#answer ??= this.#start();
    return this.#answer;
  }

  #start(): Promise<Result<List>> {
    return new Promise((resolve, reject) => {
      const { statement, parameters } = compile(this);
      this.#send({
        text: statement.text,
        statement,
        parameters,
        chunks: null,
        resolve: resolve as unknown as (rows: Rows) => void,
        reject,
      });
    });
  }
}

/** Sends one and waits for the answer. */
export function requested(
  send: Send,
  request: Pick<Request, "text" | "statement" | "parameters" | "chunks">,
): Promise<Rows> {
  return new Promise((resolve, reject) => send({ ...request, resolve, reject }));
}

/** Sends a text as it is: one statement without parameters, or several. */
export const requestedText = (send: Send, text: string): Promise<Rows> =>
  requested(send, { text, statement: null, parameters: [], chunks: null });
