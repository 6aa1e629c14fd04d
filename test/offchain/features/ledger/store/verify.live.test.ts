import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
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

test("the units' sums are those of the trial balance, and come from the accounts without the journal", async () => {
  const sums = () => database.sql.begin((tx) => ledger.sumsWithin(tx));
  expect(await sums()).toEqual((await ledger.trialBalance()).sums);
  await tamper("DELETE FROM journal WHERE unit = 'USDC'");
  expect((await sums()).map(({ unit, sum }) => [unit, sum])).toEqual([
    ["ETH", 0n],
    ["USDC", 0n],
  ]);
  expect((await ledger.trialBalance()).balanced).toBe(false);
  await tamper("UPDATE account SET balance = balance + 7 WHERE name = 'agent:a' AND unit = 'USDC'");
  expect((await sums()).map(({ sum }) => sum)).toEqual([0n, 7n]);
});
