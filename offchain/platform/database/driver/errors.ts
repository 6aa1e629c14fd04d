import { DatabaseError } from "pg";
import { BursarError } from "#offchain/core/error.ts";

/** A statement that PostgreSQL refused, with what the server said of it (PostgreSQL manual, "Error and Notice Message Fields"). */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  /** SQLSTATE, such as 23505 (PostgreSQL manual, "PostgreSQL Error Codes"). */
  readonly code: string;
  readonly severity: string | undefined;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly where: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  /** The server's own function that refused it. */
  readonly routine: string | undefined;
  /** The statement's text. Parameters are not kept: an error is logged, and they may be secret. */
  readonly query: string;

  constructor(told: DatabaseError, query: string) {
    super(told.message);
    this.code = told.code ?? "";
    this.severity = told.severity;
    this.detail = told.detail;
    this.hint = told.hint;
    this.where = told.where;
    this.schema = told.schema;
    this.table = told.table;
    this.column = told.column;
    this.constraint = told.constraint;
    this.routine = told.routine;
    this.query = query;
  }
}

export type ConnectionFault =
  /** No connection could be opened. */
  | "CONNECTION_FAILED"
  /** It broke, or the server ended it; whether a statement in flight was carried out is not known. */
  | "CONNECTION_LOST"
  /** It broke before COMMIT was answered: the transaction is either written or not. */
  | "CONNECTION_LOST_IN_COMMIT"
  /** The pool was ended. */
  | "CONNECTION_ENDED";

/**
 * There is no connection to the database, or no longer: STORE_UNAVAILABLE, whoever asked. `cause` is what the socket or
 * the server said, which names hosts and users and is not passed on.
 */
export class ConnectionError extends BursarError {
  readonly fault: ConnectionFault;

  constructor(fault: ConnectionFault, message: string, cause?: unknown) {
    super("STORE_UNAVAILABLE", message, { facts: { fault }, cause });
    this.fault = fault;
  }
}

/**
 * The server has no disk, memory or connection left for a statement (SQLSTATE class 53): nothing of it was done, and the
 * same may work once there is room again.
 */
export class ShortageError extends BursarError {
  constructor(told: DatabaseError) {
    const facts = { sqlState: told.code };
    super("STORE_UNAVAILABLE", `the database has run short: ${told.message}`, { facts, cause: told });
    lastShortage = { at: performance.now(), message: told.message };
  }
}

let lastShortage: { at: number; message: string } | null = null;

/** What the server said it had run short of within so long; null when it has not. */
export const shortageOfLast = (ms: number): string | null =>
  lastShortage !== null && performance.now() - lastShortage.at < ms ? lastShortage.message : null;

/** After such an error the server closes the connection. */
const lastWords = new Set(["FATAL", "PANIC"]);

/** What a query is refused with: the server's refusal, its shortage, or the loss of the connection. */
export function refusalOf(error: Error, query: string): PostgresError | ShortageError | ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (!(error instanceof DatabaseError) || lastWords.has(error.severity ?? "")) return connectionLost(error);
  return error.code?.startsWith("53") ? new ShortageError(error) : new PostgresError(error, query);
}

export const connectionLost = (cause: Error): ConnectionError =>
  new ConnectionError("CONNECTION_LOST", "the database connection was lost", cause);

/** Routines of the server that refuse a prepared statement which no longer fits the schema, or which it no longer has. */
const stalePlan = new Set(["RevalidateCachedQuery", "FetchPreparedStatement", "transformAssignedExpr"]);

/** Whether the same statement, prepared anew, may well succeed. */
export const isStalePlan = (error: Error): boolean =>
  error instanceof PostgresError && stalePlan.has(error.routine ?? "");
