import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { describeSchema } from "../../support/schema.ts";

let server: TestServer;
let database: TestDatabase;
beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
});
afterAll(async () => {
  await database.close();
  await server.stop();
});

test("the migrations make the schema that schema.txt shows; a change is reviewed there", async () => {
  await expect(await describeSchema(database.sql)).toMatchFileSnapshot("schema.txt");
});

test("a database from before the first release is refused with what to do", async () => {
  const old = await server.create();
  await old.sql`INSERT INTO migration (name, checksum) VALUES ('0001_ledger.sql', '00')`;
  await expect(openDatabase({ connection: old.connection, migrations: noMigrations })).rejects.toMatchObject({
    name: "MigrationError",
    fault: "unreleased",
    message: expect.stringContaining("move or delete the data folder"),
  });
  await old.close();
});

test("a database from before chain runs had their name is carried over with what it holds", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bursar-migrations-"));
  const later = migrations.order.slice(migrations.order.indexOf("chain/0002_chain_run.sql"));
  const folders = migrations.folders.map(async ({ owner, folder: now }) => {
    const then = pathToFileURL(`${folder}/${owner}/`);
    await cp(now, then, { recursive: true });
    return { owner, folder: then };
  });
  const before = { folders: await Promise.all(folders), order: migrations.order };
  for (const name of later) await rm(join(folder, name));
  const old = await server.create(before);
  await old.sql`
    WITH run AS (
      INSERT INTO chain_epoch (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
      VALUES (31337, decode(repeat('01', 32), 'hex'), 0, -1, decode(repeat('02', 32), 'hex'), 0) RETURNING id
    )
    INSERT INTO chain_transaction
      (epoch_id, chain_id, sender, key, request_hash, target, value, data, purpose, state, created_at, updated_at)
    SELECT id, 31337, decode(repeat('03', 20), 'hex'), 'k', decode(repeat('04', 32), 'hex'),
           decode(repeat('05', 20), 'hex'), 0, '', 'test', 'epoch_lost', 0, 0 FROM run`;

  const now = await openDatabase({ connection: old.connection, migrations });
  await expect(await describeSchema(now)).toMatchFileSnapshot("schema.txt");
  expect(await now`SELECT state, key FROM chain_transaction JOIN chain_run r ON r.id = run_id`).toEqual([
    { state: "run_lost", key: "k" },
  ]);
  await now.end({ timeout: 5 });
  await old.close();
  await rm(folder, { recursive: true });
});

test("a migration that was edited after it was applied is refused", async () => {
  const edited = await server.create();
  await edited.sql`UPDATE migration SET checksum = '00' WHERE name = 'ledger/0001_ledger.sql'`;
  const ledger = new URL("../../../../offchain/features/ledger/migrations/", import.meta.url);
  const again = openDatabase({
    connection: edited.connection,
    migrations: { folders: [{ owner: "ledger", folder: ledger }], order: [] },
  });
  await expect(again).rejects.toMatchObject({ name: "MigrationError", fault: "changed" });
  await edited.close();
});
