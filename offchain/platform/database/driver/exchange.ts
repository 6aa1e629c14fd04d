import { Query, type Connection as Wire } from "pg";
import { ConnectionError, refusalOf } from "./errors.ts";
import { type Request, Rows } from "./request.ts";
import type { Statement } from "./template.ts";
import { type Parse, parserOf } from "./types.ts";

interface Column {
  readonly name: string;
  readonly parse: Parse | undefined;
}

/** What one connection knows of a statement that it prepared. */
interface Plan {
  state: "sent" | "ready" | "failed";
  /** Told once: as long as the plan is valid its columns stay as they are. Empty for what returns no rows. */
  columns: readonly Column[];
}

/** The statements that a connection prepared. */
export type Plans = Map<Statement, Plan>;

/** Plans take memory of the server: beyond so many a statement is planned each time. */
const plansMax = 2_000;
const noColumns: readonly Column[] = [];

/** One statement's talk with the server (PostgreSQL manual, "Extended Query"). Each has its own Sync: none fails another. */
export class Exchange extends Query {
  readonly #request: Request;
  readonly #plans: Plans;
  readonly #settled: (error: Error | null, rows: Rows) => void;
  /** The plan that this exchange makes or uses; null if the statement is planned for it alone. */
  #plan: Plan | null = null;
  #columns = noColumns;
  #rows = new Rows();
  /** Of our own: an answer that could not be read, or chunks that could not be made. */
  #fault: Error | null = null;
  #isOver = false;

  constructor(request: Request, plans: Plans, settled: (error: Error | null, rows: Rows) => void) {
    super("");
    this.#request = request;
    this.#plans = plans;
    this.#settled = settled;
  }

  override submit(wire: Wire): null {
    const { statement, text, parameters } = this.#request;
    if (statement === null) {
      wire.query(text);
      return null;
    }
    const plan = this.#plans.get(statement);
    if (plan?.state === "ready") {
      this.#plan = plan;
      this.#columns = plan.columns;
      wire.bind({ statement: statement.name, values: parameters });
    } else {
      const name = this.#prepare(wire, statement, plan);
      wire.parse({ name, text, types: statement.types });
      wire.bind({ statement: name, values: parameters });
      wire.describe({ type: "P", name: "" });
    }
    wire.execute(null);
    wire.sync();
    return null;
  }

  /** The name under which to prepare it: none while its first preparation is under way, which may yet fail. */
  #prepare(wire: Wire, statement: Statement, plan: Plan | undefined): string {
    if (plan?.state === "sent" || (plan === undefined && this.#plans.size >= plansMax)) return "";
    // Whether the server kept it is not known: it may have refused the statement or only its execution.
    if (plan?.state === "failed") wire.close({ type: "S", name: statement.name });
    this.#plan = { state: "sent", columns: noColumns };
    this.#plans.set(statement, this.#plan);
    return statement.name;
  }

  override handleRowDescription({ fields }: Parameters<Query["handleRowDescription"]>[0]): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }));
    // A text of several statements resolves to the rows of the last that has any.
    if (this.#rows.length > 0) this.#rows = new Rows();
  }

  override handleDataRow({ fields }: Parameters<Query["handleDataRow"]>[0]): void {
    if (this.#fault !== null) return;
    try {
      this.#rows.push(rowOf(this.#columns, fields));
    } catch (error) {
      this.#fault = error as Error;
    }
  }

  override handleCommandComplete({ text }: Parameters<Query["handleCommandComplete"]>[0]): void {
    this.#rows.done(text);
    if (this.#plan !== null && this.#plan.state !== "ready") {
      this.#plan.state = "ready";
      this.#plan.columns = this.#columns;
    }
  }

  override handleEmptyQuery(): void {}

  override handleReadyForQuery(): void {
    this.#settle(this.#fault);
  }

  override handleError(error: Error): void {
    if (this.#plan !== null) this.#plan.state = "failed";
    const refusal = refusalOf(error, this.#request.text);
    this.#settle(refusal instanceof ConnectionError ? refusal : (this.#fault ?? refusal));
  }

  override handleCopyInResponse(wire: Wire): void {
    const { chunks, statement } = this.#request;
    if (chunks === null) {
      wire.sendCopyFail("COPY is fed through copyIn(…)");
      // The server ignored the Sync that came while it waited for rows.
      if (statement !== null) wire.sync();
    } else this.#feed(wire, chunks[Symbol.iterator]());
  }

  /** Hands over chunks as fast as the socket takes them, until the server refuses one or is gone. */
  #feed(wire: Wire, chunks: Iterator<Uint8Array>): void {
    try {
      while (!this.#isOver) {
        const { done, value } = chunks.next();
        if (done) {
          wire.endCopyFrom();
          return;
        }
        if (writeChunk(wire.stream, value)) continue;
        wire.stream.once("drain", () => this.#feed(wire, chunks));
        return;
      }
      chunks.return?.();
    } catch (error) {
      this.#fault = error as Error;
      wire.sendCopyFail(String(error));
    }
  }

  #settle(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settled(error, this.#rows);
  }
}

function rowOf(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let at = 0; at < columns.length; at += 1) {
    const { name, parse } = columns[at] as Column;
    const text = fields[at] as string | null;
    row[name] = text === null || parse === undefined ? text : parse(text);
  }
  return row;
}

/** CopyData with the chunk as it is: pg's own way would copy it. @returns whether the socket takes more */
function writeChunk(stream: Wire["stream"], chunk: Uint8Array): boolean {
  const header = Buffer.allocUnsafe(5);
  header[0] = 0x64;
  header.writeInt32BE(4 + chunk.length, 1);
  stream.cork();
  stream.write(header);
  const takesMore = stream.write(chunk);
  stream.uncork();
  return takesMore;
}
