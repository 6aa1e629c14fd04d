import type { ClientOptions } from "pg";
import { Listener } from "./driver/listener.ts";
import { Pool, type PoolLimits } from "./driver/pool.ts";
import { PendingQuery, type Rows, requestedText, type Send } from "./driver/request.ts";
import { Assignments, Identifier, List, type Part, type Value } from "./driver/template.ts";
import { inTransaction } from "./driver/transaction.ts";
import { Json, type Parameter } from "./driver/types.ts";

type Row = Record<string, unknown>;

/** Makes queries: `sql<Row[]>\`SELECT … ${parameter}\``. A query that stands in another one is a piece of its text. */
interface Tag {
  <Rows extends readonly unknown[] = Row[]>(
    strings: TemplateStringsArray,
    ...values: readonly Value[]
  ): PendingQuery<Rows>;
  /** The name of a table, column or database. */
  (name: string): Part;
  /** After IN its elements as parameters; elsewhere names of columns. */
  (list: readonly Parameter[]): Part;
  /** After SET: columns and what they are set to. */
  (columns: Readonly<Record<string, Parameter>>): Part;
  /** A parameter that goes as jsonb. */
  json(value: unknown): Json;
  /** Sends a text as it is, of one statement or several, without parameters. Resolves to the rows of the last that has any. */
  unsafe(text: string): Promise<Rows<Row>>;
}

declare const transaction: unique symbol;
/** One open transaction. Queries that are started together are sent together, and carried out in that order. */
export interface Tx extends Tag {
  readonly [transaction]: true;
}

/** The pool: queries run on any connection. */
export interface Sql extends Tag {
  /**
   * Does the work in a transaction: it commits when the work resolves, and rolls back when it rejects or when any query
   * of it was refused.
   * @param options as they follow BEGIN, such as `ISOLATION LEVEL REPEATABLE READ READ ONLY`
   * @throws what the work throws, PostgresError, ConnectionError (CONNECTION_LOST_IN_COMMIT if it may have been written), BursarError OVERLOADED
   */
  begin<T>(options: string, work: (tx: Tx) => T | Promise<T>): Promise<T>;
  begin<T>(work: (tx: Tx) => T | Promise<T>): Promise<T>;
  /** Calls `heard` with each payload announced on the channel (PostgreSQL manual, NOTIFY). */
  listen(channel: string, heard: (payload: string) => void): Promise<{ unlisten(): Promise<void> }>;
  /** @param options.timeoutMs after which what is under way is broken off; never, if left out */
  end(options?: { timeoutMs?: number }): Promise<void>;
}

/** A pool of connections, which are opened as they are needed. */
export function connectPool(options: ClientOptions, limits: PoolLimits): Sql {
  const pool = new Pool(options, limits);
  const listener = new Listener(options);
  type Work = (tx: Tx) => unknown;
  const begin = (first: string | Work, second?: Work) => {
    const [characteristics, work] = typeof first === "string" ? [first, second as Work] : ["", first];
    return inTransaction(pool, characteristics, (send) => work(tagOf(send) as Tx));
  };
  return Object.assign(tagOf(pool.send), {
    begin: begin as Sql["begin"],
    listen: (channel: string, heard: (payload: string) => void) => listener.listen(channel, heard),
    end: async (ending?: { timeoutMs?: number }) => {
      await listener.end();
      await pool.end(ending);
    },
  });
}

function tagOf(send: Send): Tag {
  const tag = (first: TemplateStringsArray | Parameters<Tag>[0], ...values: readonly Value[]) => {
    if (typeof first === "string") return new Identifier(first);
    if (!Array.isArray(first)) return new Assignments(first as Record<string, Parameter>);
    return "raw" in first ? new PendingQuery(first, values, send) : new List(first);
  };
  return Object.assign(tag, {
    json: (value: unknown) => new Json(value),
    unsafe: (text: string) => requestedText(send, text) as Promise<Rows<Row>>,
  }) as unknown as Tag;
}
