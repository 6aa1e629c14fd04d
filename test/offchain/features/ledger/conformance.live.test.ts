import { readFile } from "node:fs/promises";
import { mnemonicToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Context } from "../../../../scripts/ledger/conformance/client.ts";
import { invariants } from "../../../../scripts/ledger/conformance/ledger.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { chainId, openLedgerDoor } from "../../support/ledgerDoor.ts";

const operator = mnemonicToAccount("test test test test test test test test test test test junk");

let server: TestServer;
let database: TestDatabase;
let door: Awaited<ReturnType<typeof openLedgerDoor>>;
let context: Context;
beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  door = await openLedgerDoor(database.sql, operator.address);
  context = new Context(door.url, chainId, operator);
});
afterAll(async () => {
  await door?.close();
  await database?.close();
  await server?.stop();
});

test.each(invariants.map((invariant) => [invariant.id, invariant.rule, invariant] as const))(
  "%s %s",
  async (_id, _rule, { check }) => {
    await check(context);
  },
);

test("every invariant is published", async () => {
  const page = await readFile(new URL("../../../../docs/ledger-conformance.md", import.meta.url), "utf8");
  const rows = page.replace(/ +\|/g, " |");
  for (const { id, rule } of invariants) expect(rows).toContain(`| ${id} | ${rule} |`);
});
