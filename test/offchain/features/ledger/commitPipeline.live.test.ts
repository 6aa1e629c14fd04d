import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { callsOf } from "./ledgerCalls.ts";

let server: TestServer;
let database: TestDatabase;
let ledger: Ledger;
const clock = { now: () => 1_000 };

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  database = await server.create();
  ledger = openLedger(database.sql, clock);
  await done(transfer("fund", "chain:1", "agent:a", 1_000n));
  return () => database.close();
});

let restarts = 0;

/** Another process, past the groups that look every key up because it has just begun. */
async function restart(): Promise<void> {
  ledger = openLedger(database.sql, clock);
  restarts += 1;
  for (let at = 0; at < 15; at += 1) await done(transfer(`warm:${restarts}:${at}`, "chain:1", "agent:w", 1n));
}

const { submit, done, refusal, balances } = callsOf(() => ledger);

const transfer = (key: string, debit: string, credit: string, amount: bigint) =>
  ({ kind: "transfer", key, debit, credit, unit: "USDC", amount }) as LedgerOperation;

test("a repeat gets its first answer also when the same would be refused now", async () => {
  const all = transfer("all", "agent:a", "agent:b", 1_000n);
  const first = await done(all);
  await restart();
  expect(await refusal(transfer("more", "agent:a", "agent:b", 1n))).toMatchObject({
    code: "INSUFFICIENT_FUNDS",
  });
  expect(await done(all)).toEqual({ ...first, replayed: true });
  await ledger.suspend("agent:a", true);
  expect(await done(all)).toEqual({ ...first, replayed: true });
  expect(await balances("agent:b")).toMatchObject({ balance: 1_000n });
});

test("so does each of many that come at once, among others that are refused and accepted", async () => {
  const paid = Array.from({ length: 10 }, (_, at) => transfer(`p:${at}`, "agent:a", "agent:b", 100n));
  const first = await Promise.all(paid.map((one) => done(one)));
  await restart();
  const mixed = await Promise.all([
    ...paid.map((one) => submit(one)),
    ...paid.map((_, at) => submit(transfer(`late:${at}`, "agent:a", "agent:b", 1n))),
    ...paid.map((_, at) => submit(transfer(`new:${at}`, "agent:b", "agent:c", 1n))),
  ]);
  for (const [at, [outcome]] of mixed.entries())
    if (at < 10)
      expect(outcome).toMatchObject({ ok: true, replayed: true, transfer: { id: first[at]?.transfer.id } });
    else if (at < 20) expect(outcome).toMatchObject({ ok: false, error: { code: "INSUFFICIENT_FUNDS" } });
    else expect(outcome).toMatchObject({ ok: true, replayed: false });
  expect(await balances("agent:c")).toMatchObject({ balance: 10n });
});

test("so does one within a list of which others are new", async () => {
  const all = transfer("all", "agent:a", "agent:b", 1_000n);
  const { transfer: first } = await done(all);
  await restart();
  expect(await ledger.submit([transfer("back", "agent:b", "agent:c", 1n), all])).toMatchObject([
    { ok: true, replayed: false },
    { ok: true, replayed: true, transfer: { id: first.id } },
  ]);
  expect(await balances("agent:b")).toMatchObject({ balance: 999n });
});

test("a key that was refused may be used once it works, for the same or for another", async () => {
  const much = transfer("k", "agent:a", "agent:b", 5_000n);
  expect(await refusal(much)).toMatchObject({ code: "INSUFFICIENT_FUNDS" });
  await done(transfer("k", "agent:a", "agent:b", 5n));
  expect(await refusal(much)).toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
});
