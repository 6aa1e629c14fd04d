import { readdir, readFile } from "node:fs/promises";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";

const clock = { at: 1_000, now: () => clock.at };

let server: TestServer;
let database: TestDatabase;
let ledger: Ledger;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  database = await server.create();
  ledger = openLedger(database.sql, clock);
  for (let at = 1; at <= 5; at += 1)
    for (const unit of ["USDC", "ETH"] as const)
      await ledger.submit([
        {
          kind: "transfer",
          key: `${unit}${at}`,
          debit: "issuer:test",
          credit: "agent:a",
          unit,
          amount: BigInt(at),
          memo: `memo ${at} ✓`,
          metadata: { b: "2", a: "1" },
        },
      ]);
  await ledger.submit([
    { kind: "hold", key: "h", debit: "agent:a", credit: "agent:b", unit: "ETH", amount: 1n },
  ]);
  await ledger.submit([{ kind: "void", key: "v", transferId: "11" }]);
});
afterEach(() => database.close());

/** Changes what the triggers forbid, as somebody with the database's own rights could. */
async function tamper(statement: string): Promise<void> {
  await database.sql.begin(async (tx) => {
    await tx`SET LOCAL session_replication_role = replica`;
    await tx.unsafe(statement);
  });
}

test("an untouched journal is whole, and node and database agree on every hash", async () => {
  const report = await verifyJournal(database.sql);
  expect(report).toMatchObject({ entries: 11, broken: null });
  expect(report.heads.map(({ unit, height }) => [unit, height])).toEqual([
    ["ETH", 6],
    ["USDC", 5],
  ]);
  const [differing] = await database.sql<{ count: number }[]>`
    SELECT count(*)::int AS count FROM (
      SELECT j, t, coalesce(lag(j.hash) OVER (PARTITION BY j.unit ORDER BY j.height), decode(repeat('00', 32), 'hex')) AS previous
      FROM journal j JOIN transfer t ON t.id = j.transfer_id) e
    WHERE (e.j).hash <> journal_hash(e.previous, e.j, (e.t).created_at, (e.t).reference, (e.t).memo, (e.t).metadata)`;
  expect(differing?.count).toBe(0);
});

test.each([
  ["an amount", "UPDATE journal SET amount = 99 WHERE unit = 'ETH' AND height = 3", "ETH", 3, "changed"],
  [
    "a balance",
    "UPDATE journal SET credit_balance = 99 WHERE unit = 'USDC' AND height = 2",
    "USDC",
    2,
    "changed",
  ],
  ["a memo", "UPDATE transfer SET memo = 'x' WHERE id = 5", "USDC", 3, "changed"],
  ["metadata", "UPDATE transfer SET metadata = NULL WHERE id = 6", "ETH", 3, "changed"],
  ["a void made a post", "UPDATE journal SET resolved_at = 5 WHERE transfer_id = 11", "ETH", 6, "changed"],
  ["a removed entry", "DELETE FROM journal WHERE unit = 'ETH' AND height = 4", "ETH", 4, "missing"],
  ["a removed end", "DELETE FROM journal WHERE unit = 'USDC' AND height = 5", "USDC", 5, "missing"],
  ["a removed transfer", "DELETE FROM transfer WHERE id = 3", "USDC", 2, "changed"],
  [
    "an added entry",
    "INSERT INTO journal SELECT 999, unit, 7, debit, credit, amount, 90, debit_balance, 90, credit_balance, resolved_at, hash FROM journal WHERE unit = 'ETH' AND height = 1",
    "ETH",
    7,
    "beyond the head",
  ],
  ["another head", "UPDATE journal_head SET hash = '\\x00' WHERE unit = 'ETH'", "ETH", 6, "head differs"],
])("%s changed behind the ledger's back is named", async (_, statement, unit, height, why) => {
  await tamper(statement);
  expect((await verifyJournal(database.sql)).broken).toMatchObject({ unit, height, why });
});

test("books kept before the journal are carried over: balances, holds, keys and a whole chain", async () => {
  const admin = postgres({ ...database.connection, max: 1, onnotice: () => {} });
  await admin`CREATE DATABASE legacy`;
  await admin.end();
  const connection = { ...database.connection, database: "legacy" };
  const old = postgres({ ...connection, max: 1, onnotice: () => {} });
  const folder = new URL("../../../../../offchain/platform/database/migrations/", import.meta.url);
  await old`CREATE TABLE migration (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
  for (const name of (await readdir(folder)).filter((each) => each < "0050").toSorted()) {
    const text = await readFile(new URL(name, folder), "utf8");
    await old.unsafe(text);
    await old`INSERT INTO migration (name, checksum) VALUES (${name}, encode(sha256(convert_to(${text}, 'UTF8')), 'hex'))`;
  }
  await old.unsafe(`
    INSERT INTO account (name, unit, external, balance, pending) VALUES
      ('issuer:x', 'USDC', true, -100, 0), ('agent:a', 'USDC', false, 70, 20), ('agent:b', 'USDC', false, 30, 0);
    INSERT INTO transfer (key, request_hash, debit, credit, amount, state, posted_amount, memo, created_at, resolved_at) VALUES
      ('t1', '\\x00', 1, 2, 100, 'posted', 100, 'first', 10, 10), ('h1', '\\x00', 2, 3, 40, 'posted', 30, NULL, 20, 25),
      ('h2', '\\x00', 2, 3, 20, 'pending', NULL, NULL, 30, NULL), ('h3', '\\x00', 2, 3, 5, 'voided', NULL, NULL, 31, 32);
    INSERT INTO resolution VALUES ('p1', '\\x00', 2), ('v3', '\\x00', 4);
    INSERT INTO entry (transfer_id, account, amount, balance_after, posted_at) VALUES
      (1, 1, -100, -100, 10), (1, 2, 100, 100, 10), (2, 2, -30, 70, 25), (2, 3, 30, 30, 25);`);
  await old.end();

  const sql = await openDatabase({ connection, maxConnections: 2 });
  const after = openLedger(sql, clock);
  expect((await verifyJournal(sql)).broken).toBeNull();
  expect(await after.trialBalance()).toMatchObject({ balanced: true });
  expect(await after.account("agent:b", "USDC")).toMatchObject({ balance: 30n, incoming: 20n });
  expect(await after.transfer("2")).toMatchObject({ state: "posted", postedAmount: 30n });
  const again = await after.submit([
    {
      kind: "transfer",
      key: "t1",
      debit: "issuer:x",
      credit: "agent:a",
      unit: "USDC",
      amount: 100n,
      memo: "first",
    },
    { kind: "hold", key: "h2", debit: "agent:a", credit: "agent:b", unit: "USDC", amount: 20n },
    { kind: "post", key: "p1", transferId: "2", amount: 30n },
    { kind: "void", key: "v3", transferId: "4" },
    { kind: "hold", key: "h1", debit: "agent:a", credit: "agent:b", unit: "USDC", amount: 41n },
    { kind: "post", key: "p2", transferId: "3" },
  ]);
  expect(again.map((outcome) => (outcome.ok ? outcome.replayed : outcome.error.code))).toEqual([
    true,
    true,
    true,
    true,
    "IDEMPOTENCY_CONFLICT",
    false,
  ]);
  expect((await verifyJournal(sql)).broken).toBeNull();
  await sql.end({ timeout: 5 });
});
