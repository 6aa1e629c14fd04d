import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CopyRows, copyHeader } from "#offchain/platform/database/copy.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";
import { eventually } from "../../../support/eventually.ts";

let dataDir: string;
let server: EmbeddedPostgres;
let sql: Sql;

beforeEach(async () => {
  dataDir = join(import.meta.dirname, `../../../../../data/test/postgres-${randomBytes(6).toString("hex")}`);
  server = await startPostgres({ dataDir });
  sql = await openDatabase({ connection: server.connection, maxConnections: 2, migrations: noMigrations });
});
afterEach(async () => {
  await sql.end({ timeoutMs: 5_000 });
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

test("rows whose server dies in the middle are answered, and the pool goes on with the next one", async () => {
  await sql`CREATE TABLE number (at integer)`;
  const copy = sql.begin(async (tx) => {
    const [own] = await tx<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    return tx`COPY ${tx("number")} FROM STDIN (FORMAT BINARY)`.copyIn(untilKilled(own?.pid ?? 0));
  });
  await expect(copy).rejects.toMatchObject({ fault: "CONNECTION_LOST" });
  // A process that was killed takes all the others with it; the server comes back by itself.
  await eventually(() => sql`SELECT count(*)::int AS rows FROM number`.catch(() => null)).toEqual([
    { rows: 0 },
  ]);
});

/** Rows without end; after some of them the server's process is killed. */
function* untilKilled(pid: number): Generator<Buffer> {
  yield copyHeader;
  const out = new CopyRows(1);
  for (let chunk = 0; ; chunk += 1) {
    for (let at = 0; at < 1_000; at += 1) {
      out.row();
      out.int4(at);
    }
    if (chunk === 20) process.kill(pid, "SIGKILL");
    yield out.take();
  }
}
