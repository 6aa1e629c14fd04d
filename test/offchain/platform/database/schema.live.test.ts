import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "#offchain/platform/database/database.ts";
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
  await expect(openDatabase({ connection: old.connection, migrations: [] })).rejects.toMatchObject({
    name: "MigrationError",
    fault: "unreleased",
    message: expect.stringContaining("move or delete the data folder"),
  });
  await old.close();
});

test("a migration that was edited after it was applied is refused", async () => {
  const edited = await server.create();
  await edited.sql`UPDATE migration SET checksum = '00' WHERE name = 'ledger/0001_ledger.sql'`;
  const ledger = new URL("../../../../offchain/features/ledger/migrations/", import.meta.url);
  const again = openDatabase({
    connection: edited.connection,
    migrations: [{ owner: "ledger", folder: ledger }],
  });
  await expect(again).rejects.toMatchObject({ name: "MigrationError", fault: "changed" });
  await edited.close();
});
