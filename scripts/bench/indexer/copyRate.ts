import { migrations } from "#offchain/app/migrations.ts";
import { eventColumns } from "#offchain/platform/chain/indexer/checkpoint.ts";
import { CopyRows, copyHeader, copyTrailer } from "#offchain/platform/database/copy.ts";
import { type DatabaseOptions, openDatabase } from "#offchain/platform/database/database.ts";

/** Rows in one transaction, as in the indexer's. */
const rowsPerCopy = 10_000;
const eventsPerBlock = 100;
/** Rows per second that PostgreSQL takes into `chain_event` when it is handed ready bytes and nothing else is done. */
export async function copyRate(connection: DatabaseOptions["connection"], events: number): Promise<number> {
  const sql = await openDatabase({ connection, maxConnections: 1, migrations });
  const copies: Buffer[][] = [];
  for (let start = 0; start < events; start += rowsPerCopy) copies.push(rows(start));
  const startedAt = performance.now();
  for (const chunks of copies)
    await sql.begin((tx) =>
      tx`COPY chain_event (${tx(eventColumns)}) FROM STDIN (FORMAT BINARY)`.copyIn(chunks),
    );
  const seconds = (performance.now() - startedAt) / 1_000;
  await sql.end();
  return events / seconds;
}

function rows(start: number): Buffer[] {
  const out = new CopyRows(eventColumns.length);
  const word = (value: number) => `0x${value.toString(16).padStart(64, "0")}`;
  for (let at = start; at < start + rowsPerCopy; at += 1) {
    const block = Math.floor(at / eventsPerBlock);
    out.row();
    out.int8(1);
    out.int8(block);
    out.int4(at % eventsPerBlock);
    out.int4(0);
    out.bytes(word(block));
    out.bytes(word(1).slice(0, 42));
    out.joined([word(2), word(at), word(at + 1)]);
    out.bytes(word(at));
  }
  return [copyHeader, out.take(), copyTrailer];
}
