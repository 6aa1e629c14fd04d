import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { noteHolds } from "#offchain/features/ledger/store/holds.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";

const clock = { at: 1_000, now: () => clock.at };
const [payer, payee, unit] = ["agent:a", "agent:b", "USDC"] as const;

let server: TestServer;
let database: TestDatabase;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
/** Every kind of transfer there is, each under a key of its own; holds 2 and 4 are open, and noted. */
beforeEach(async () => {
  clock.at = 1_000;
  database = await server.create();
  const ledger = openLedger(database.sql, clock);
  const said = { reference: "r", memo: "m ✓", metadata: { b: "2", a: "1" } };
  const movement = { debit: payer, credit: payee, unit };
  await ledger.submit([
    { kind: "transfer", key: "in", debit: "issuer:test", credit: payer, unit, amount: 100n, ...said },
    { kind: "hold", key: "open", ...movement, amount: 10n, ...said },
    { kind: "hold", key: "posted", ...movement, amount: 9n },
    { kind: "hold", key: "ends", ...movement, amount: 8n, expiresAt: 90_000 },
    { kind: "hold", key: "in part", ...movement, amount: 7n },
    { kind: "hold", key: "voided", ...movement, amount: 6n },
    { kind: "transfer", key: "back", ...movement, amount: 5n },
  ]);
  clock.at = 2_000;
  await ledger.submit([
    { kind: "post", key: "post", transferId: "3" },
    { kind: "post", key: "post in part", transferId: "5", amount: 3n },
    { kind: "void", key: "void", transferId: "6" },
    { kind: "reverse", key: "reverse", transferId: "7", amount: 2n, ...said },
    { kind: "reverse", key: "reverse the rest", transferId: "7" },
  ]);
  await noteHolds(database.sql);
});
afterEach(() => database.close());

const broken = async () => (await verifyJournal(database.sql)).broken;

test("what every kind of operation leaves is whole", async () => {
  expect(await broken()).toBeNull();
});

const key = (name: string, change: string) =>
  `UPDATE ledger_key SET ${change} WHERE digest = half_digest('${name}')`;

test.each([
  [
    "when a key was used: it would be forgotten early, and pay again",
    key("open", "used_at = 0"),
    "key",
    "changed",
  ],
  ["what a key was used for", key("open", "request = gen_random_uuid()"), "key", "changed"],
  ["what a key was used for, with a description", key("in", "request = half_digest('x')"), "key", "changed"],
  ["what a reversal's key was used for", key("reverse", "request = half_digest('x')"), "key", "changed"],
  [
    "what a hold was resolved by, for another",
    key("void", "request = half_digest('void|3')"),
    "key",
    "unknown",
  ],
  ["when a hold was resolved", key("void", "used_at = 1000"), "key", "unknown"],
  [
    "what an account is promised",
    "UPDATE account SET incoming = 1 WHERE name = 'agent:b'",
    "account",
    "changed",
  ],
  [
    "how many entries it has",
    "UPDATE account SET entries = entries + 1 WHERE name = 'agent:b'",
    "account",
    "changed",
  ],
  ["the newest transfer's id", "UPDATE ledger_head SET last_transfer = last_transfer + 1", "head", "changed"],
  ["the newest account's id", "UPDATE ledger_head SET last_account = last_account + 1", "head", "changed"],
  ["an open hold, removed", "DELETE FROM open_hold WHERE transfer_id = 4", "hold", "missing"],
  ["an open hold's end", "UPDATE open_hold SET expires_at = 1 WHERE transfer_id = 4", "hold", "changed"],
  ["an open hold's payee", "UPDATE open_hold SET credit = debit WHERE transfer_id = 2", "hold", "changed"],
  ["an open hold of nothing", "INSERT INTO open_hold VALUES (999, 1, 2, NULL)", "hold", "unknown"],
])("%s, changed behind the ledger's back", async (_, statement, what, why) => {
  await database.sql.begin(async (tx) => {
    await tx`SET LOCAL session_replication_role = replica`;
    await tx.unsafe(statement);
  });
  expect(await broken()).toMatchObject({ what, why });
});
