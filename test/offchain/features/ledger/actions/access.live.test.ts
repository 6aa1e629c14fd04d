import { afterAll, beforeAll, expect, test } from "vitest";
import { actions } from "#offchain/app/features.ts";
import { validate } from "#offchain/app/validate.ts";
import type { Caller } from "#offchain/core/call/caller.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";

const operator = { role: "operator", address: `0x${"0e".repeat(20)}` } as unknown as Caller;
const [channel, payee, chain] = ["channel:7", `payee:1:0x${"aa".repeat(20)}`, "chain:1"] as const;
const money = { unit: "USDC", amount: "0.000001" } as const;

let server: TestServer;
let database: TestDatabase;
let ledger: Ledger;
beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  ledger = openLedger(database.sql, { now: () => 1_000 });
  // As the chain's events book: a deposit, a promise, a claim.
  const moved = { unit: "USDC", amount: 5n } as const;
  await ledger.submit([
    { kind: "transfer", key: "1", debit: chain, credit: channel, ...moved, amount: 10n },
    { kind: "hold", key: "2", debit: channel, credit: payee, ...moved },
    { kind: "transfer", key: "3", debit: channel, credit: payee, ...moved },
  ]);
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const call = (name: string, input: object): Promise<unknown> => {
  const action = actions.get(name)?.action;
  if (!action) throw new Error(`no action ${name}`);
  return action.run(ledger, operator, validate(action.input, input));
};

test.each([
  ["ledger.transfer", { key: "k", from: channel, to: "treasury:system", ...money }],
  ["ledger.transfer", { key: "k", from: "treasury:system", to: payee, ...money }],
  ["ledger.transferToSystem", { key: "k", from: payee, ...money }],
  ["ledger.hold", { key: "k", from: channel, to: payee, ...money }],
  ["ledger.issue", { key: "k", to: channel, ...money }],
  ["ledger.post", { key: "k", transferId: "2" }],
  ["ledger.void", { key: "k", transferId: "2" }],
  ["ledger.reverse", { key: "k", transferId: "3" }],
  ["ledger.suspend", { account: payee, isSuspended: true }],
  ["ledger.suspend", { account: chain, isSuspended: true }],
  ["ledger.setLimits", { account: channel, unit: "USDC", daily: "1" }],
  [
    "ledger.schedule",
    { key: "k", from: channel, to: "treasury:system", ...money, startsAt: 5_000, everyMs: 3_600_000 },
  ],
])("what mirrors a chain is moved by nobody's word, the operator's neither: %s %j", async (name, input) => {
  const before = await ledger.trialBalance();
  await expect(call(name, input)).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await ledger.trialBalance()).toEqual(before);
  expect(await ledger.account(channel, "USDC")).toMatchObject({ balance: 5n, pending: 5n });
});

test("it may be looked at", async () => {
  await expect(call("ledger.show", { transferId: "2" })).resolves.toMatchObject({ state: "pending" });
  await expect(call("ledger.limits", { account: channel, unit: "USDC" })).resolves.toMatchObject({
    limits: [],
  });
});
