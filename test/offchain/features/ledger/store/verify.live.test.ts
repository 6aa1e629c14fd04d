import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { firstJournalHash, genesisHash } from "#offchain/features/ledger/books/digest.ts";
import { forgetOldKeys } from "#offchain/features/ledger/jobs.ts";
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

test("an untouched journal is whole", async () => {
  const report = await verifyJournal(database.sql);
  expect(report).toMatchObject({ entries: 11, broken: null });
  expect(report.heads.map(({ unit, height, openings }) => [unit, height, openings])).toEqual([
    ["ETH", 6, 1],
    ["USDC", 5, 0],
  ]);
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
  expect((await verifyJournal(database.sql)).broken).toMatchObject({ what: "entry", unit, height, why });
});

/** Everything that there is beside entries: a pending hold with a fee, a reversal, limits, a suspension, fees. */
async function more(): Promise<void> {
  const [debit, credit, unit] = ["agent:a", "agent:b", "USDC"] as const;
  const fee = { credit: "treasury:system", amount: 1n } as const;
  await ledger.submit([{ kind: "hold", key: "p", debit, credit, unit, amount: 2n, fee }]);
  await ledger.submit([{ kind: "hold", key: "q", debit, credit, unit, amount: 3n }]);
  await ledger.submit([{ kind: "reverse", key: "r", transferId: "2" }]);
  await ledger.setLimits("agent:a", "USDC", { daily: 100n });
  await ledger.suspend("agent:b", true);
  await ledger.setFees({ unit: "USDC", fixed: 1n, rateBps: 0, minimum: 1n, maximum: null });
}

const swapNames = (one: string, other: string) => `
  UPDATE account SET name = 'agent:x' WHERE name = '${one}';
  UPDATE account SET name = '${one}' WHERE name = '${other}';
  UPDATE account SET name = '${other}' WHERE name = 'agent:x'`;

test("what is beside entries is whole too, also after keys were forgotten and rules were lifted", async () => {
  await more();
  expect((await verifyJournal(database.sql)).broken).toBeNull();
  await ledger.submit([{ kind: "post", key: "post", transferId: "12", amount: 1n }]);
  await ledger.setLimits("agent:a", "USDC", { daily: null });
  await ledger.suspend("agent:b", false);
  await ledger.submit([{ kind: "void", key: "void", transferId: "14" }]);
  expect((await verifyJournal(database.sql)).broken).toBeNull();
  clock.at += 1_000;
  expect(await forgetOldKeys({ sql: database.sql, clock }, 500)).toBeGreaterThan(0);
  await ledger.submit([
    { kind: "transfer", key: "ETH1", debit: "issuer:test", credit: "agent:a", unit: "ETH", amount: 1n },
  ]);
  clock.at -= 1_000;
  expect((await verifyJournal(database.sql)).broken).toBeNull();
});

test.each([
  ["two accounts' names", swapNames("agent:a", "agent:b"), "entry", "ETH", "changed"],
  [
    "the name of whom nothing moved yet",
    "UPDATE account SET name = 'agent:e' WHERE name = 'agent:b' AND unit = 'USDC'",
    "hold",
    "USDC",
    "changed",
  ],
  ["a posted transfer's key", "UPDATE transfer SET key = 'other' WHERE id = 2", "entry", "ETH", "changed"],
  ["what it takes back", "UPDATE transfer SET reverses = 4 WHERE reverses = 2", "entry", "ETH", "changed"],
  ["its payer", "UPDATE transfer SET debit = credit, credit = debit WHERE id = 2", "entry", "ETH", "changed"],
  ["its amount", "UPDATE transfer SET amount = 99 WHERE id = 2", "entry", "ETH", "changed"],
  [
    "a pending hold's payee",
    "UPDATE transfer SET credit = (SELECT id FROM account WHERE name = 'treasury:system') WHERE id = 12",
    "hold",
    "USDC",
    "changed",
  ],
  ["its amount while pending", "UPDATE transfer SET amount = 1 WHERE id = 14", "hold", "USDC", "changed"],
  ["its fee", "UPDATE transfer SET amount = 9 WHERE fee_of = 12", "hold", "USDC", "changed"],
  ["its end", "UPDATE transfer SET expires_at = 5 WHERE id = 14", "hold", "USDC", "changed"],
  ["a hold, removed", "DELETE FROM transfer WHERE id = 12", "hold", "USDC", "changed"],
  ["the newest hold, removed", "DELETE FROM transfer WHERE id = 14", "hold", "USDC", "missing"],
  [
    "a hold, added",
    "INSERT INTO transfer SELECT 16, 'z', debit, credit, 1, NULL, NULL, 1000, NULL, NULL, unit FROM transfer WHERE id = 14",
    "hold",
    "USDC",
    "beyond the head",
  ],
  ["a hold without a hash", "UPDATE transfer SET hash = NULL WHERE id = 14", "hold", "USDC", "unknown"],
  ["a key, removed", "DELETE FROM ledger_key WHERE transfer_id = 3", "key", "USDC", "missing"],
  ["all keys, removed", "TRUNCATE ledger_key", "key", "USDC", "missing"],
  [
    "a key of another transfer",
    "INSERT INTO ledger_key SELECT gen_random_uuid(), request, 3, used_at FROM ledger_key LIMIT 1",
    "key",
    "USDC",
    "unknown",
  ],
  [
    "a key of none",
    "INSERT INTO ledger_key SELECT gen_random_uuid(), request, 99, used_at FROM ledger_key LIMIT 1",
    "key",
    "",
    "unknown",
  ],
  [
    "the time of forgotten keys",
    "TRUNCATE ledger_key; UPDATE ledger_head SET keys_after = 9999",
    "rule",
    "keys",
    "changed",
  ],
  [
    "a limit",
    "UPDATE account SET limit_daily = 1000 WHERE name = 'agent:a' AND unit = 'USDC'",
    "rule",
    "account USDC agent:a",
    "changed",
  ],
  [
    "a limit where there was none",
    "UPDATE account SET limit_daily = 0 WHERE name = 'agent:a' AND unit = 'ETH'",
    "rule",
    "account ETH agent:a",
    "changed",
  ],
  [
    "a suspension, lifted",
    "UPDATE account SET suspended_at = NULL WHERE name = 'agent:b'",
    "rule",
    "account ETH agent:b",
    "changed",
  ],
  ["a fee", "UPDATE ledger_fee SET fixed = 7 WHERE unit = 'USDC'", "rule", "fee USDC", "changed"],
  [
    "a rule with its record",
    "UPDATE ledger_fee SET fixed = 7 WHERE unit = 'USDC'; UPDATE ledger_rule SET facts = '7 0 1 -' WHERE subject = 'fee USDC'",
    "rule",
    "fee USDC",
    "changed",
  ],
  [
    "the newest record",
    "DELETE FROM ledger_rule WHERE number = (SELECT max(number) FROM ledger_rule)",
    "rule",
    "",
    "missing",
  ],
  [
    "who may owe",
    "UPDATE account SET external = true WHERE name = 'agent:a'",
    "account",
    "agent:a",
    "changed",
  ],
])("%s changed behind the ledger's back: it is named", async (_, statement, what, unit, why) => {
  await more();
  await tamper(statement);
  expect((await verifyJournal(database.sql)).broken).toMatchObject({ what, unit, why });
});

/** Gives a unit's entries the hashes that they had before names and keys were bound. */
async function makeOld(unit: string): Promise<void> {
  const rows = await database.sql<Record<string, bigint & string & null>[]>`
    SELECT j.*, t.created_at, t.reference, t.memo, t.metadata FROM journal j JOIN transfer t ON t.id = j.transfer_id
    WHERE j.unit = ${unit} ORDER BY height`;
  let hash = genesisHash;
  for (const row of rows) {
    const {
      height = 0n,
      transfer_id: transferId,
      debit_entry: debitEntry,
      debit_balance: debitBalance,
    } = row;
    const { credit_entry: creditEntry, credit_balance: creditBalance, resolved_at: resolvedAt } = row;
    const moved = { transferId, debitEntry, debitBalance, creditEntry, creditBalance, resolvedAt };
    hash = firstJournalHash(hash, height, { ...row, ...moved, createdAt: row.created_at } as never);
    await tamper(`UPDATE journal SET hash = '\\x${hash}' WHERE unit = '${unit}' AND height = ${height}`);
  }
  await tamper(`UPDATE journal_head SET hash = '\\x${hash}' WHERE unit = '${unit}'`);
}

test("entries from before are verified by what they bind, and new ones go on from them", async () => {
  await makeOld("USDC");
  expect((await verifyJournal(database.sql)).broken).toBeNull();
  ledger = openLedger(database.sql, clock);
  await ledger.submit([
    { kind: "transfer", key: "new", debit: "agent:a", credit: "agent:c", unit: "USDC", amount: 1n },
  ]);
  expect((await verifyJournal(database.sql)).broken).toBeNull();
  await tamper("UPDATE account SET name = 'agent:d' WHERE name = 'agent:c'");
  expect((await verifyJournal(database.sql)).broken).toMatchObject({
    unit: "USDC",
    height: 6,
    why: "changed",
  });
  await tamper("UPDATE transfer SET memo = 'x' WHERE id = 1");
  expect((await verifyJournal(database.sql)).broken).toMatchObject({
    unit: "USDC",
    height: 1,
    why: "changed",
  });
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
