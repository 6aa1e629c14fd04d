/** The part of `pg` that this driver stands on. Its own types leave out pipelining and what a query is called with. */
declare module "pg" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";

  export interface ClientOptions {
    connectionString?: string;
    host?: string;
    port?: number;
    database?: string;
    user?: string;
    application_name?: string;
    keepAlive?: boolean;
    keepAliveInitialDelayMillis?: number;
    connectionTimeoutMillis?: number;
    /** Queries are written before those in front of them are answered. */
    pipeline?: boolean;
  }

  /** The messages that a client sends (PostgreSQL manual, "Message Formats"). */
  export interface Connection {
    readonly stream: Socket;
    query(text: string): void;
    parse(statement: { name: string; text: string; types: readonly number[] }): void;
    bind(portal: { statement: string; values: readonly (string | Buffer | null)[] }): void;
    describe(what: { type: "P"; name: "" }): void;
    execute(portal: null): void;
    close(what: { type: "S"; name: string }): void;
    sync(): void;
    endCopyFrom(): void;
    sendCopyFail(reason: string): void;
  }

  export class Client extends EventEmitter {
    constructor(options: ClientOptions);
    readonly connection: Connection;
    connect(): Promise<Client>;
    query(query: Query): unknown;
    query(text: string): Promise<unknown>;
    end(): Promise<void>;
  }

  /** The client calls it with each message that answers it. */
  export class Query extends EventEmitter {
    constructor(text: string);
    submit(wire: Connection): Error | null;
    handleRowDescription(message: { fields: readonly { name: string; dataTypeID: number }[] }): void;
    handleDataRow(message: { fields: readonly (string | null)[] }): void;
    handleCommandComplete(message: { text: string }): void;
    handleEmptyQuery(): void;
    handleCopyInResponse(wire: Connection): void;
    handleReadyForQuery(): void;
    handleError(error: Error): void;
  }

  /** What the server says of a statement that it refused (PostgreSQL manual, "Error and Notice Message Fields"). */
  export class DatabaseError extends Error {
    readonly severity: string | undefined;
    readonly code: string | undefined;
    readonly detail: string | undefined;
    readonly hint: string | undefined;
    readonly where: string | undefined;
    readonly schema: string | undefined;
    readonly table: string | undefined;
    readonly column: string | undefined;
    readonly constraint: string | undefined;
    readonly routine: string | undefined;
  }

  export const types: {
    arrayParser: {
      create(text: string, parse: (element: string) => unknown): { parse(): unknown[] };
    };
  };
}
