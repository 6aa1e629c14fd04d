import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Tx } from "./database.ts";

/** Writes one value of a row in PostgreSQL's binary format. */
export type Column<Row> = { readonly name: string; readonly encode: (row: Row) => Buffer };

/** `PGCOPY\n\377\r\n\0`, no flags, no header extension (PostgreSQL manual, COPY, "Binary Format"). */
const header = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
const trailer = Buffer.from("ffff", "hex");

/** Rows per chunk that is handed to the socket. */
const chunkRows = 1_000;

export function int4(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32BE(value);
  return buffer;
}

export function int8(value: number | bigint): Buffer {
  const buffer = Buffer.allocUnsafe(8);
  buffer.writeBigInt64BE(BigInt(value));
  return buffer;
}

/**
 * Inserts rows by binary COPY, the fastest way in: no parameters, no quoting, no parsing.
 * @throws the database's error, e.g. a unique violation; the transaction is then lost
 */
export async function copyInto<Row>(
  tx: Tx,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = columns.map(({ name }) => name);
  const target = await tx`COPY ${tx(table)} (${tx(names)}) FROM STDIN (FORMAT BINARY)`.writable();
  await pipeline(Readable.from(encodeRows(columns, rows)), target);
}

function* encodeRows<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Generator<Buffer> {
  yield header;
  const fieldCount = Buffer.allocUnsafe(2);
  fieldCount.writeInt16BE(columns.length);
  for (let start = 0; start < rows.length; start += chunkRows) {
    const parts: Buffer[] = [];
    for (const row of rows.slice(start, start + chunkRows)) {
      parts.push(fieldCount);
      for (const { encode } of columns) {
        const value = encode(row);
        parts.push(int4(value.length), value);
      }
    }
    yield Buffer.concat(parts);
  }
  yield trailer;
}
