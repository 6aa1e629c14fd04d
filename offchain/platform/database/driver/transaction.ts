import type { Connection } from "./connection.ts";
import { ConnectionError, PostgresError } from "./errors.ts";
import type { Pool } from "./pool.ts";
import { type Request, type Rows, requestedText, type Send } from "./request.ts";

/** One transaction, on a connection that it has to itself until it ends. */
class Transaction {
  readonly #connection: Connection;
  #isOver = false;
  #open = 0;
  #whenDone: (() => void) | null = null;
  /** The first refusal: from then on the server refuses everything until the rollback. */
  refusal: unknown = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  readonly send: Send = (request) => {
    if (this.#connection.lost !== null) request.reject(this.#connection.lost);
    else if (this.#isOver) request.reject(new Error("the transaction is over"));
    else this.#watch(request);
  };

  #watch(request: Request): void {
    this.#open += 1;
    const { text, statement, parameters, chunks } = request;
    const resolve = (rows: Rows) => {
      request.resolve(rows);
      this.#done();
    };
    const reject = (error: unknown) => {
      this.refusal ??= error;
      request.reject(error);
      this.#done();
    };
    this.#connection.send({ text, statement, parameters, chunks, resolve, reject });
  }

  #done(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#whenDone?.();
  }

  /** Resolves when all that was sent is answered; nothing more is sent then. */
  async end(): Promise<void> {
    if (this.#open > 0)
      await new Promise<void>((done) => {
        this.#whenDone = done;
      });
    this.#isOver = true;
  }
}

/**
 * Does the work in a transaction: it commits when the work resolves, and rolls back when it rejects or when any query of
 * it was refused, even if the work made nothing of that.
 * @param options as they follow BEGIN, such as `ISOLATION LEVEL REPEATABLE READ READ ONLY`
 * @throws what the work throws, PostgresError, ConnectionError (CONNECTION_LOST_IN_COMMIT if it may have been written), BursarError OVERLOADED
 */
export async function inTransaction<T>(
  pool: Pool,
  options: string,
  work: (send: Send) => T | Promise<T>,
): Promise<T> {
  const connection = await pool.reserve();
  try {
    // Nothing else is sent before BEGIN is answered: after a refused one each statement would commit by itself.
    await requestedText((request) => connection.send(request), `BEGIN ${options.replace(/[^a-z ]/gi, "")}`);
    return await carriedOut(connection, work);
  } finally {
    pool.release(connection);
  }
}

async function carriedOut<T>(connection: Connection, work: (send: Send) => T | Promise<T>): Promise<T> {
  const transaction = new Transaction(connection);
  let result: T;
  try {
    result = await Promise.race([lossOf(connection), doing(work, transaction.send)]);
    await transaction.end();
    if (transaction.refusal !== null) throw transaction.refusal;
  } catch (error) {
    await transaction.end();
    await rollBack(connection);
    throw firstOf(error, transaction.refusal);
  }
  await commit(connection);
  return result;
}

/** A work that throws before it waits for anything rejects like any other. */
const doing = async <T>(work: (send: Send) => T | Promise<T>, send: Send): Promise<T> => work(send);

/** The caller need not wait for the work to find out that its connection is gone. */
const lossOf = (connection: Connection): Promise<never> =>
  new Promise((_, reject) => {
    if (connection.lost !== null) reject(connection.lost);
    connection.onLost = reject;
  });

/** In an aborted transaction each refusal but the first only says that there was one (25P02, in_failed_sql_transaction). */
const firstOf = (error: unknown, refusal: unknown): unknown =>
  error instanceof PostgresError && error.code === "25P02" && refusal !== null ? refusal : error;

async function commit(connection: Connection): Promise<void> {
  try {
    await requestedText((request) => connection.send(request), "COMMIT");
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    throw new ConnectionError(
      "CONNECTION_LOST_IN_COMMIT",
      "the database connection was lost while a transaction was committed: whether it is written is not known",
      error,
    );
  }
}

async function rollBack(connection: Connection): Promise<void> {
  if (connection.lost !== null) return;
  try {
    await requestedText((request) => connection.send(request), "ROLLBACK");
  } catch {
    // Whatever it is in, the next transaction must not be in it too.
    connection.destroy();
  }
}
