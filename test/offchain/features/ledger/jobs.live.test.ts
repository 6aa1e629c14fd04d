import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { expireHolds, forgetOldKeys, runSchedules } from "#offchain/features/ledger/jobs.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import { runDueSchedules } from "#offchain/features/ledger/schedules.ts";
import type { Ledger, ScheduleRequest } from "#offchain/features/ledger/service.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";

const start = Date.UTC(2026, 2, 4, 12);
const hourMs = 3_600_000;
const clock = { at: start, now: () => clock.at };

let server: TestServer;
let database: TestDatabase;
let ledger: Ledger;
let job: { sql: TestDatabase["sql"]; clock: typeof clock };
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  clock.at = start;
  database = await server.create();
  ledger = openLedger(database.sql, clock);
  job = { sql: database.sql, clock };
  await ledger.open([{ name: "agent:b", unit: "USDC" }]);
  await done({
    kind: "transfer",
    key: "fund",
    debit: "issuer:x",
    credit: "agent:a",
    unit: "USDC",
    amount: 1_000n,
  });
});
afterEach(() => database.close());

async function done(operation: LedgerOperation) {
  const [outcome] = await ledger.submit([operation]);
  if (!outcome?.ok) throw outcome?.error ?? new Error("no outcome");
  return outcome;
}

const hold = (key: string, amount: bigint, expiresAt?: number): LedgerOperation => ({
  kind: "hold",
  key,
  debit: "agent:a",
  credit: "agent:b",
  unit: "USDC",
  amount,
  ...(expiresAt !== undefined && { expiresAt }),
});
const available = async () => (await ledger.account("agent:a", "USDC"))?.available;
const balanceOfB = async () => (await ledger.account("agent:b", "USDC"))?.balance;

test("a stale hold is voided once past its time, also by two at once, and its money is free again", async () => {
  await done(hold("stays", 100n));
  const stale = await done(hold("stale", 300n, start + hourMs));
  clock.at += hourMs;
  expect(await expireHolds({ ...job, ledger })).toBe(0);
  clock.at += 1;
  const other = openLedger(database.sql, clock);
  const expired = await Promise.all([
    expireHolds({ ...job, ledger }),
    expireHolds({ ...job, ledger: other }),
  ]);
  expect(expired.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(await available()).toBe(900n);
  expect(await ledger.transfer(stale.transfer.id)).toMatchObject({ state: "voided" });
});

test("pending holds of an account are listed page by page on both sides, without those that are resolved", async () => {
  const ids: string[] = [];
  for (let at = 0; at < 5; at += 1) ids.push((await done(hold(`h${at}`, 10n))).transfer.id);
  await done({ kind: "post", key: "p", transferId: ids[2] ?? "" });
  const first = await ledger.pending({ account: "agent:b", limit: 3 });
  const second = await ledger.pending({ account: "agent:b", limit: 3, cursor: BigInt(first.next ?? 0) });
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([ids[4], ids[3], ids[1], ids[0]]);
  expect(second.next).toBeNull();
  expect((await ledger.pending({ account: "agent:a", unit: "ETH", limit: 3 })).items).toEqual([]);
});

test("a key is forgotten after its time, and not before", async () => {
  await done(hold("k", 100n));
  clock.at += hourMs;
  expect(await forgetOldKeys(job, hourMs)).toBe(0);
  expect(await done(hold("k", 100n))).toMatchObject({ replayed: true });
  clock.at += 1;
  expect(await forgetOldKeys(job, hourMs)).toBe(2);
  expect(await done(hold("k", 100n))).toMatchObject({ replayed: false });
  expect(await available()).toBe(800n);
});

const request = (change: Partial<ScheduleRequest> = {}): ScheduleRequest => ({
  key: "s",
  owner: "agent:a",
  debit: "agent:a",
  credit: "agent:b",
  unit: "USDC",
  amount: 100n,
  reference: null,
  memo: "rent",
  everyMs: null,
  runsMax: 1,
  startsAt: start + hourMs,
  ...change,
});

test("a scheduled transfer runs once, when it is due", async () => {
  const { id } = await ledger.schedule(request());
  expect(await runSchedules(job)).toBe(0);
  clock.at += hourMs;
  expect(await runSchedules(job)).toBe(1);
  expect(await runSchedules(job)).toBe(0);
  expect(await balanceOfB()).toBe(100n);
  expect((await ledger.schedules({ owner: "agent:a", limit: 5 })).items).toMatchObject([
    { id, state: "done", runs: 1, nextAt: null, lastRun: { errorCode: null } },
  ]);
});

test("a recurring one that was missed is run once, also by several at once, and goes on from there", async () => {
  await ledger.schedule(request({ everyMs: hourMs, runsMax: 3 }));
  clock.at += 3 * hourMs + 1;
  const runs = await Promise.all([runSchedules(job), runSchedules(job), runSchedules(job)]);
  expect(runs.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(await balanceOfB()).toBe(100n);
  expect((await ledger.schedules({ owner: "agent:a", limit: 5 })).items).toMatchObject([
    { runs: 1, state: "active", nextAt: start + 4 * hourMs, lastRun: { skipped: 2, errorCode: null } },
  ]);
  clock.at = start + 4 * hourMs;
  expect(await runSchedules(job)).toBe(1);
  clock.at += 10 * hourMs;
  expect(await runSchedules(job)).toBe(1);
  expect(await runSchedules(job)).toBe(0);
  expect(await balanceOfB()).toBe(300n);
});

test("a start in the past is refused, but not that of a schedule that is there already", async () => {
  await expect(ledger.schedule(request({ startsAt: start - 60_001 }))).rejects.toMatchObject({
    code: "VALIDATION_INVALID_INPUT",
    fields: [{ field: "startsAt" }],
  });
  const { id } = await ledger.schedule(request());
  clock.at += 10 * hourMs;
  expect((await ledger.schedule(request())).id).toBe(id);
});

test("an owner has so many active schedules and no more, also when they come at once; one that ends makes room", async () => {
  const few = openLedger(database.sql, clock, 3);
  const asked = Array.from({ length: 5 }, (_, at) => few.schedule(request({ key: `s${at}` })));
  const answers = await Promise.allSettled(asked);
  const refused = answers.filter((answer) => answer.status === "rejected");
  expect(refused.map(({ reason }) => [reason.code, reason.facts.schedulesMax])).toEqual([
    ["SCHEDULES_FULL", 3],
    ["SCHEDULES_FULL", 3],
  ]);
  await few.schedule(request({ owner: "agent:z" }));
  const [one] = (await few.schedules({ owner: "agent:a", limit: 1 })).items;
  await few.cancelSchedule("agent:a", one?.id ?? "");
  await expect(few.schedule(request({ key: "more" }))).resolves.toMatchObject({ state: "active" });
});

test("what pays must be an account that is open, as for a transfer", async () => {
  await expect(ledger.schedule(request({ debit: "agent:nobody" }))).rejects.toMatchObject({
    code: "ACCOUNT_UNKNOWN",
  });
});

test("hundreds of schedules of one owner, even such as are there already, hold up nobody else's", async () => {
  await database.sql`
    INSERT INTO ledger_schedule (owner, key, request, debit, credit, unit, amount, every_ms, runs_max, next_at, created_at)
    SELECT 'agent:eve', 'e' || n, gen_random_uuid(), 'agent:eve', 'agent:b', 'USDC', 1, 60000, 100000, n, 0
    FROM generate_series(0, 599) AS n`;
  await ledger.schedule(request());
  clock.at += hourMs;
  expect(await runDueSchedules(database.sql, clock.at, 2)).toBe(2);
  expect(await balanceOfB()).toBe(100n);
  // A start in 1970 and a minute's interval: decades of runs are due, and each schedule runs once.
  expect(await runSchedules(job)).toBe(599);
  expect(await runSchedules(job)).toBe(0);
  const [rows] = await database.sql<
    { count: number }[]
  >`SELECT count(*)::int AS count FROM ledger_schedule_run`;
  expect(rows?.count).toBe(601);
});

test("a run that the ledger refuses is recorded with its reason, and the next one comes", async () => {
  await ledger.schedule(request({ amount: 600n, everyMs: hourMs, runsMax: 3 }));
  for (let hour = 0; hour < 2; hour += 1) {
    clock.at += hourMs;
    await runSchedules(job);
  }
  expect(await balanceOfB()).toBe(600n);
  const [schedule] = (await ledger.schedules({ owner: "agent:a", limit: 5 })).items;
  expect(schedule).toMatchObject({
    runs: 2,
    state: "active",
    lastRun: { errorCode: "INSUFFICIENT_FUNDS", transferId: null },
  });
});

test("a cancelled schedule runs no more; a stranger cannot cancel it", async () => {
  const { id } = await ledger.schedule(request());
  await expect(ledger.cancelSchedule("agent:z", id)).rejects.toMatchObject({ code: "SCHEDULE_UNKNOWN" });
  expect(await ledger.cancelSchedule("agent:a", id)).toMatchObject({ state: "cancelled" });
  clock.at += hourMs;
  expect(await runSchedules(job)).toBe(0);
});

test("the same schedule under one key is one; another under it is a conflict", async () => {
  const first = await ledger.schedule(request());
  expect((await ledger.schedule(request())).id).toBe(first.id);
  await expect(ledger.schedule(request({ amount: 101n }))).rejects.toMatchObject({
    code: "IDEMPOTENCY_CONFLICT",
  });
});

test("a run between agents pays the fee of its day", async () => {
  await ledger.schedule(request());
  await ledger.setFees({ unit: "USDC", fixed: 2n, rateBps: 150, minimum: 1n, maximum: null });
  clock.at += hourMs;
  await runSchedules(job);
  expect((await ledger.account("treasury:system", "USDC"))?.balance).toBe(4n);
  expect(await available()).toBe(896n);
});
