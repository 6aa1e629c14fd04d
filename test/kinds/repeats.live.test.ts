import { afterAll, beforeAll, expect, test } from "vitest";
import { actions } from "#offchain/app/features.ts";
import { isKeyed } from "#offchain/core/action.ts";
import type { Caller } from "#offchain/core/call/caller.ts";
import { openCarbon } from "#offchain/features/carbon/carbon.ts";
import { openEnergy } from "#offchain/features/energy/energy.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { account, startedAt } from "../offchain/doors/world.ts";
import { gridProof } from "../offchain/features/energy/energyWorld.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../offchain/support/database.ts";
import { smallService } from "../offchain/support/service.ts";

/**
 * Every keyed action once, then the same request after everything that may change has changed against it: what was
 * carried out is answered as then. The list is made from the declared actions, so a new one must say how it is called.
 */
const [ada, bob, worker] = ["ada", "bob", "worker"].map((name) => account(name).address) as Addresses;
type Addresses = [`0x${string}`, `0x${string}`, `0x${string}`];
const clock = {
  at: startedAt,
  now() {
    return this.at;
  },
};
const agent: Caller = { role: "agent", address: ada, proof: { digest: "0x01", endsAt: 1 } };
const operator: Caller = { role: "operator", proof: { digest: "0x01", endsAt: 1 } };

let server: TestServer;
let database: TestDatabase;
beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

/** A service that remembers nothing but what is in the database. */
function open() {
  const { sql } = database;
  const [ledger, carbon] = [openLedger(sql, clock), openCarbon(sql, clock)];
  const energy = openEnergy(sql, clock, { ledger, carbon });
  const service = smallService({ services: { ledger, carbon, energy }, operator: ada, clock });
  const call = async (action: string, caller: Caller, input: object) => {
    const answer = await service.call({ action, caller, input: () => input, isExemptFromRates: true });
    if (answer.kind !== "done") throw new Error(`${action} was sold`);
    return JSON.parse(JSON.stringify(answer.output)) as Record<string, unknown>;
  };
  return { ledger, energy, call };
}

const keyed = [...actions.values()].flatMap(({ feature, action }) =>
  // These need a chain, and are repeated by their own tests: features/payments/intake/, features/treasury/again.live.test.ts.
  isKeyed(action.input) && !["payments", "treasury"].includes(feature) ? [action.name] : [],
);

test("a keyed request that was carried out is answered as then, whatever has changed since", async () => {
  const { ledger, energy, call } = open();
  const usdc = { unit: "USDC", amount: "10" };
  const pay = { ...usdc, to: bob };
  await call("ledger.issue", operator, { ...usdc, key: "money", to: ada, amount: "1000" });
  await call("ledger.issue", operator, { ...usdc, key: "money-too", to: bob, amount: "1000" });
  await energy.issue({ key: "first", society: "s", owner: ada, amount: 900_000_000n });
  const { source } = await energy.register("s", gridProof("meter", 1_000_000_000n, clock.at));
  await call("energy.charge", agent, { key: "lot", society: "s", source: source.id, atp: "500" });
  const held = async (key: string) => (await call("ledger.hold", agent, { ...pay, key })).id as string;
  const received = await call("ledger.transfer", { ...agent, address: bob }, { ...usdc, key: "b", to: ada });

  const requests: Record<string, { caller?: Caller; input: object }> = {
    "ledger.transfer": { input: pay },
    "transfers.create": { input: pay },
    "ledger.transferToSystem": { input: usdc },
    "ledger.hold": { input: { ...pay, expiresAt: clock.at + 60_000 } },
    "ledger.post": { input: { transferId: await held("h1") } },
    "ledger.void": { input: { transferId: await held("h2") } },
    "ledger.reverse": { input: { transferId: received.id } },
    "ledger.issue": { caller: operator, input: { ...usdc, to: bob } },
    "ledger.schedule": { input: { ...pay, startsAt: clock.at + 60_000 } },
    "energy.charge": { input: { society: "s", source: source.id, atp: "5" } },
    "energy.issue": { caller: operator, input: { society: "s", owner: ada, adp: "5" } },
    "energy.allocate": {
      input: { society: "s", worker, computeType: "H100", durationMs: 1_000, region: "us-east" },
    },
  };
  expect(Object.keys(requests).toSorted()).toEqual(keyed.toSorted());

  const answers = new Map<string, unknown>();
  for (const [name, { caller = agent, input }] of Object.entries(requests))
    answers.set(name, await call(name, caller, { ...input, key: `key:${name}` }));

  await call("ledger.setFees", operator, { unit: "USDC", minimum: "50", maximum: "60", rateBps: 9_000 });
  for (const [name, to] of [[ada, bob] as const, [bob, ada] as const]) {
    await ledger.setLimits(`agent:${name.toLowerCase()}`, "USDC", { transaction: 1n, daily: 1n });
    await ledger.suspend(`agent:${to.toLowerCase()}`, true);
  }
  // The source's proof lapses, lots spoil, the hold is past its time, the schedule's start too.
  clock.at += 400 * 86_400_000;
  const after = open();
  for (const [name, { caller = agent, input }] of Object.entries(requests)) {
    const again = after.call(name, caller, { ...input, key: `key:${name}` });
    await expect(again, name).resolves.toEqual(answers.get(name));
  }
  for (const name of ["ledger.transfer", "transfers.create", "ledger.schedule"])
    await expect(after.call(name, agent, { ...requests[name]?.input, key: "new" })).rejects.toMatchObject({
      code: name === "ledger.schedule" ? "VALIDATION_INVALID_INPUT" : "AMOUNT_BELOW_MINIMUM",
    });
});
