import { afterAll, beforeAll, expect, test } from "vitest";
import { clearingHandlers } from "#offchain/features/clearing/events.ts";
import { cutEpoch } from "#offchain/features/clearing/jobs/cut.ts";
import { addCredits, allCredits, creditStanding } from "#offchain/features/clearing/store/credits.ts";
import {
  type ClearingEpoch,
  lastEpoch,
  listEpochs,
  strangeEpoch,
} from "#offchain/features/clearing/store/epochs.ts";
import { failingSteps, reopenFailedClearing } from "#offchain/features/clearing/store/failed.ts";
import { endPayout } from "#offchain/features/clearing/store/payouts.ts";
import { rowsFrom } from "#offchain/features/clearing/store/rows.ts";
import { lockBooks } from "#offchain/features/payments/store/channels.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { Books, bookedChainId, hex } from "../../support/books.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";

const token = hex(20);
const clearing = hex(20);
const least = 10n;
let server: TestServer;
let database: TestDatabase;
let sql: Sql;
let books: Books;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  sql = database.sql;
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const lock = (tx: Parameters<typeof lockBooks>[0], runId: bigint) => lockBooks(tx, runId, "alone");
const cut = (from = least) => cutEpoch({ sql, books: { lock } }, books.runId, from, books.now);
const credit = (payee: string, amount: bigint) =>
  books.begin((tx) => addCredits(tx, books.runId, new Map([[payee, amount]]), books.now));
const last = async () => (await lastEpoch(sql, books.runId)) as ClearingEpoch;

/** Tells the handlers of an event; what they take out of the books is not looked at. */
async function tell(name: string, step: "apply" | "retract", args: object, at: object = {}): Promise<void> {
  const noBooks = { lock, heldFor: async () => 0n, changePaidOut: async () => {} };
  const event = {
    args: { token, epoch: 1n, ...args },
    runId: books.runId,
    blockAt: 5_000,
    blockNumber: 1n,
    ...at,
  };
  const handler = clearingHandlers(clearing, token, noBooks as never).find((one) => one.event.name === name);
  await books.begin(async (tx) => handler?.[step](tx, event as never));
}

const rowsOf = (number: number, from = 0, limit = 400) => rowsFrom(sql, books.runId, number, { from, limit });

/** What a payee was credited, and what of that its rows say that stand. */
async function standing(payee: string) {
  const [row] = await sql<{ credited: bigint; assigned: bigint }[]>`
    SELECT credited, assigned FROM clearing_payee WHERE run_id = ${books.runId} AND payee = ${bytesOf(payee)}`;
  return [row?.credited, row?.assigned];
}

/** Everything that clearing has stored of the run, to be compared. */
async function everything(): Promise<unknown> {
  const { runId } = books;
  return [
    await sql`SELECT * FROM clearing_payee WHERE run_id = ${runId} ORDER BY payee`,
    await sql`SELECT * FROM clearing_epoch WHERE run_id = ${runId} ORDER BY number`,
    await sql`SELECT * FROM clearing_row WHERE run_id = ${runId} ORDER BY number, payee`,
    await sql`SELECT * FROM clearing_fill WHERE run_id = ${runId} ORDER BY number, rows`,
    await sql`SELECT * FROM clearing_payout WHERE run_id = ${runId}`,
  ];
}

test("an epoch has what changed alone, and only of whom that is worth a row", async () => {
  books = await Books.open(sql);
  const [one, other] = [hex(20), hex(20)];
  expect(await cut()).toBeNull();
  await credit(one, 9n);
  expect(await cut(), "dust").toBeNull();
  await credit(one, 1n);
  await credit(other, 25n);
  expect(await cut()).toBe(1);
  expect(await last()).toMatchObject({ number: 1, payees: 2, total: 35n, cutAt: books.now, filled: 0 });
  expect(await cut(), "nothing new").toBeNull();
  await credit(one, 10n);
  expect(await cut()).toBe(2);
  expect(await last()).toMatchObject({ number: 2, payees: 1, total: 10n });
  expect(await rowsOf(2), "all that it is credited").toEqual([{ payee: one, total: 20n }]);
});

test("a pass finds who is due by an index, among however many payees", async () => {
  books = await Books.open(sql);
  const { runId } = books;
  await sql`
    INSERT INTO clearing_payee (run_id, payee, credited, credited_at, assigned)
    SELECT ${runId}, decode(lpad(to_hex(i), 40, '0'), 'hex'), 100, 0, CASE WHEN i % 300 = 0 THEN 0 ELSE 100 END
    FROM generate_series(1, 3000) i`;
  await sql`ANALYZE clearing_payee`;
  const plan = await sql`
    EXPLAIN SELECT 1 FROM clearing_payee
    WHERE run_id = ${runId} AND credited > assigned AND (credited - assigned) >= ${"10"}::numeric LIMIT 1`;
  expect(JSON.stringify(plan)).toContain("clearing_payee_due");
  expect(await cut()).toBe(1);
  expect(await last()).toMatchObject({ payees: 10, total: 1_000n });
});

test("an epoch's rows are in one order, from whichever on they are asked for", async () => {
  books = await Books.open(sql);
  const payees = Array.from({ length: 5 }, () => hex(20)).toSorted();
  for (const payee of payees) await credit(payee, 10n);
  await cut();
  const parts = [await rowsOf(1, 0, 2), await rowsOf(1, 2, 2), await rowsOf(1, 4, 2)];
  expect(parts.map(({ length }) => length)).toEqual([2, 2, 1]);
  expect(parts.flat().map(({ payee }) => payee)).toEqual(payees);
  expect((await rowsOf(1, 2, 3)).map(({ payee }) => payee)).toEqual(payees.slice(2));
});

test("every event is taken back exactly", async () => {
  books = await Books.open(sql);
  const [one, other] = [hex(20), hex(20)].toSorted() as [string, string];
  await credit(one, 100n);
  await credit(other, 50n);
  await cut();
  const events: [string, object][] = [
    ["EpochFilled", { rows: 2n, total: 150n }],
    ["Demanded", { payee: one, amount: 30n }],
    ["EpochSealed", { total: 120n }],
    ["PaidBatch", { amount: 7n }],
    ["Deposited", { payee: one, amount: 7n }],
    ["EpochVoided", {}],
    ["Demanded", { payee: other, amount: 20n }],
    ["Demanded", { payee: hex(20), amount: 20n }],
    ["EpochFilled", { epoch: 2n, rows: 3n, total: 9n }],
    ["EpochFilled", { epoch: 2n, rows: 6n, total: 19n }],
    ["EpochSealed", { epoch: 2n, total: 19n }],
  ];
  const told = events.map(
    ([name, args], logIndex) => [name, args, { logIndex, blockHash: hex(32) }] as const,
  );
  const before: unknown[] = [];
  for (const [name, args, at] of told) {
    before.push(await everything());
    await tell(name, "apply", args, at);
  }
  expect(await last()).toMatchObject({ number: 2, payees: null, total: 19n, filled: 6, sealedAt: 5_000 });
  for (const [name, args, at] of told.toReversed()) {
    await tell(name, "retract", args, at);
    expect(await everything(), name).toEqual(before.pop());
  }
  await tell("EpochFilled", "apply", { token: hex(20), rows: 2n, total: 1n });
  expect((await last()).filled, "of another token").toBe(0);
});

test("a demand changes no row, and lets a snapshot ask the chain for its payee until a reorganisation takes it back", async () => {
  books = await Books.open(sql);
  const [one, other] = [hex(20), hex(20)].toSorted() as [string, string];
  for (const payee of [one, other]) await credit(payee, 100n);
  const payable = async () => {
    const credits = await allCredits(sql, books.runId);
    return [one, other].map((payee) => credits.get(payee)?.payable);
  };
  const at = { logIndex: 1, blockHash: hex(32) };
  await tell("Demanded", "apply", { payee: one, amount: 30n }, at);
  await tell("Demanded", "apply", { payee: other, amount: 0n }, { ...at, logIndex: 2 });
  expect(await payable(), "what was noted credits nobody").toEqual([100n, 0n]);
  expect(await cut()).toBe(1);
  const rows = [one, other].map((payee) => ({ payee, total: 100n }));
  expect(await rowsOf(1)).toEqual(rows);
  await tell("Demanded", "retract", { payee: one, amount: 30n }, at);
  expect(await rowsOf(1)).toEqual(rows);
  await credit(one, 1n);
  expect(await payable(), "what is in an epoch").toEqual([100n, 100n]);
});

test("a complete epoch has the total that the chain says, another the most that it may add", async () => {
  books = await Books.open(sql);
  await credit(hex(20), 100n);
  await cut();
  await tell("EpochFilled", "apply", { rows: 1n, total: 40n });
  expect(await last()).toMatchObject({ total: 100n });
  await tell("EpochSealed", "apply", { total: 40n });
  expect(await last()).toMatchObject({ total: 40n });
});

test("what a void epoch credited is due again, since it was cut", async () => {
  books = await Books.open(sql);
  const payee = hex(20);
  await credit(payee, 100n);
  await cut();
  expect(await creditStanding(sql, books.runId)).toEqual({ credited: 100n, waitsSince: null });
  await tell("EpochFilled", "apply", { rows: 1n, total: 100n });
  await tell("EpochSealed", "apply", { total: 100n });
  await tell("EpochVoided", "apply", {});
  expect(await standing(payee)).toEqual([100n, 0n]);
  expect((await creditStanding(sql, books.runId)).waitsSince).toBe(books.now);
  expect(await cut()).toBe(2);
  expect(await last()).toMatchObject({ total: 100n });
});

test("what is assigned is what the rows say that stand, whichever of its epochs is void", async () => {
  books = await Books.open(sql);
  const payee = hex(20);
  for (const amount of [100n, 50n, 30n]) {
    await credit(payee, amount);
    await cut();
  }
  expect(await standing(payee)).toEqual([180n, 180n]);
  await tell("EpochVoided", "apply", { epoch: 3n });
  expect(await standing(payee)).toEqual([180n, 150n]);
  for (const epoch of [1n, 2n]) await tell("EpochVoided", "apply", { epoch });
  expect(await standing(payee)).toEqual([180n, 0n]);
  await cut();
  await tell("EpochVoided", "retract", { epoch: 2n });
  expect(await standing(payee), "a later row says more").toEqual([180n, 180n]);
});

test("an epoch that another database filled is told, also when it has the number of one that was cut here", async () => {
  books = await Books.open(sql);
  expect(await strangeEpoch(sql, books.runId)).toBeNull();
  await credit(hex(20), 100n);
  await cut();
  expect(await strangeEpoch(sql, books.runId)).toBeNull();
  await tell("EpochFilled", "apply", { rows: 1n, total: 100n });
  expect(await strangeEpoch(sql, books.runId)).toBe(1);
  await tell("EpochVoided", "apply", {});
  expect(await strangeEpoch(sql, books.runId), "a void one credits nobody").toBeNull();
  await tell("EpochFilled", "apply", { epoch: 2n, rows: 1n, total: 100n });
  expect(await strangeEpoch(sql, books.runId)).toBe(2);
});

/** A transaction of the operator's, as the sender would leave it. */
async function transaction(key: string, state: string, updatedAt: number): Promise<bigint> {
  const { now, operator } = books;
  const request = { key, to: clearing, data: "0x02", purpose: "clearing.payout" } as const;
  const id = await sql.begin((tx) =>
    enqueueTransaction(tx, { chainId: bookedChainId, address: operator }, request, now),
  );
  await sql`
    UPDATE chain_transaction SET state = ${state}, success = ${state === "mined"}, updated_at = ${updatedAt} WHERE id = ${id}`;
  return id;
}

test.each([
  ["not at once", 0, 0],
  ["after its pause", 500, 1],
  ["also when a clock that was wrong says that it will fail in forty days", -40 * 86_400_000, 1],
])("a payout that failed is tried again, %s", async (_, agoMs, reopened) => {
  books = await Books.open(sql);
  const { now, runId } = books;
  const id = await transaction("payout", "failed", now - agoMs);
  await sql`
    INSERT INTO clearing_epoch (run_id, number, payees, total, cut_at, sealed_at, payout_to, payout_transaction_id)
    VALUES (${runId}, 1, 1, 1, 0, 0, 1, ${id})`;
  expect(await reopenFailedClearing(sql, runId, now)).toBe(reopened);
  expect(await last()).toMatchObject({ payoutFailures: reopened, payoutTo: 1 - reopened });
});

test("a payout that counted as done is tried again when a reorganisation made it fail", async () => {
  books = await Books.open(sql);
  const { now, runId } = books;
  const id = await transaction("payout", "mined", 0);
  await sql`
    INSERT INTO clearing_epoch (run_id, number, payees, total, cut_at, sealed_at, paid_rows, payout_from, payout_to, payout_transaction_id)
    VALUES (${runId}, 1, 150, 1, 0, 0, 100, 100, 150, ${id})`;
  expect(await endPayout(sql, runId, 1)).toBe(150);
  await sql`UPDATE clearing_epoch SET paid_at = 1 WHERE run_id = ${runId}`;
  await sql`UPDATE chain_transaction SET state = 'failed' WHERE id = ${id}`;
  expect(await reopenFailedClearing(sql, runId, now)).toBe(1);
  expect(await last()).toMatchObject({ paidRows: 100, payoutTo: 100, paidAt: null });
  expect(await reopenFailedClearing(sql, runId, now), "once").toBe(0);
});

test("a call that failed is tried again with the rows that the chain has not, and health tells what fails on", async () => {
  books = await Books.open(sql);
  const { now, runId } = books;
  for (let at = 0; at < 3; at += 1) await credit(hex(20), 50n);
  await cut();
  await tell("EpochFilled", "apply", { rows: 1n, total: 50n });
  for (let tries = 0; tries < 4; tries += 1) {
    const id = await transaction(`call ${tries}`, "failed", 0);
    await sql`UPDATE clearing_epoch SET call_to = 3, transaction_id = ${id} WHERE run_id = ${runId}`;
    expect(await failingSteps(sql, runId)).toEqual([]);
    expect(await reopenFailedClearing(sql, runId, now)).toBe(1);
    expect(await last()).toMatchObject({ filled: 1, callTo: 1 });
  }
  expect(await failingSteps(sql, runId)).toEqual(["fill epoch 1"]);
  await tell("EpochFilled", "apply", { rows: 3n, total: 150n });
  expect(await failingSteps(sql, runId), "one that works ends it").toEqual([]);
});

test("epochs are listed page by page, newest first", async () => {
  books = await Books.open(sql);
  await sql`
    INSERT INTO clearing_epoch (run_id, number, payees, total, cut_at)
    SELECT ${books.runId}, i, 1, i, 0 FROM generate_series(1, 5) i`;
  const page = await listEpochs(sql, books.runId, undefined, 2);
  expect(page.map(({ number }) => number)).toEqual([5, 4]);
  expect((await listEpochs(sql, books.runId, 4n, 9)).map(({ number }) => number)).toEqual([3, 2, 1]);
});
