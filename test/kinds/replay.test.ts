import { expect, it } from "vitest";
import { actions } from "#offchain/app/features.ts";
import { isKeyed } from "#offchain/core/action.ts";
import type { Caller } from "#offchain/core/call/caller.ts";
import { BursarError, type ErrorCode, errorCodes } from "#offchain/core/error.ts";
import type { SeenRequests } from "#offchain/platform/requests/requests.ts";
import { account } from "../offchain/doors/world.ts";
import { seenInMemory, smallService } from "../offchain/support/service.ts";

/** Every verb of Bursar by its declaration: one that is added tomorrow is tested too. */
const writes = [...actions.values()].filter(({ action }) => action.effect !== "read");
const caller = (digest: `0x${string}`): Caller => ({ role: "operator", proof: { digest, endsAt: 1 } });

/**
 * The pipeline before one action, of which only the work is another: it counts. What is sent is taken as it is.
 * @param fault makes what the work throws after it has counted
 */
function counting(name: string, { fault, seen }: { fault?: () => Error; seen?: SeenRequests } = {}) {
  const known = actions.get(name);
  if (!known) throw new Error(`there is no action ${name}`);
  const { action } = known;
  let runs = 0;
  const input = Object.assign(Object.create(action.input), {
    safeParse: (sent: unknown) => ({ success: true, data: sent }),
  });
  const run = async () => {
    runs += 1;
    if (fault) throw fault();
    return { runs };
  };
  const service = smallService({
    services: {},
    operator: account("operator").address,
    actions: new Map([[name, { ...known, action: { ...action, input, run } }]]),
    ...(seen && { seen }),
  });
  const call = (who: Caller) =>
    service.call({ action: name, caller: who, input: () => ({}), isExemptFromRates: true });
  return { call, runs: () => runs };
}

const unkeyed = writes.flatMap(({ action }) => (isKeyed(action.input) ? [] : [action.name]));
const keyed = writes.flatMap(({ action }) => (isKeyed(action.input) ? [action.name] : []));

it.each(unkeyed)("%s without a key: a signed request runs once, another one runs too", async (name) => {
  const { call, runs } = counting(name);
  const first = await call(caller("0x01"));
  await call(caller("0x02"));
  expect(await call(caller("0x01"))).toEqual(first);
  expect(runs()).toBe(2);
});

it.each(keyed)(
  "%s has an idempotency key that must be given, and is not remembered beside it",
  async (name) => {
    const input = actions.get(name)?.action.input;
    const parsed = input?.safeParse({ payments: [{}] });
    expect(parsed?.error?.issues.map(({ path }) => path.at(-1))).toContain("key");
    const { call, runs } = counting(name);
    await call(caller("0x01"));
    await call(caller("0x01"));
    expect(runs()).toBe(2);
  },
);

const outages = (Object.keys(errorCodes) as ErrorCode[]).filter(
  (code) => errorCodes[code].remedy === "retry",
);
const faults: (() => Error)[] = [
  ...outages.map((code) => () => new BursarError(code, "away")),
  () => new TypeError("our own fault"),
];

it.each(unkeyed)(
  "%s without a key: what broke off tells to sign anew, and runs no second time",
  async (name) => {
    for (const fault of faults) {
      const { call, runs } = counting(name, { fault });
      await expect(call(caller("0x01"))).rejects.toMatchObject({
        remedy: "sign",
        message: expect.stringContaining("sign it anew"),
      });
      await expect(call(caller("0x01"))).rejects.toMatchObject({ code: "REQUEST_REPEATED" });
      expect(runs()).toBe(1);
    }
  },
);

it.each(unkeyed)("%s without a key: what reached no database uses nothing up", async (name) => {
  const facts = { fault: "CONNECTION_FAILED" };
  for (const error of [
    new BursarError("OVERLOADED", "too many queries"),
    new BursarError("STORE_UNAVAILABLE", "away", { facts }),
  ]) {
    const memory = seenInMemory();
    let isAway = true;
    const remember: SeenRequests["remember"] = (proof) =>
      isAway ? Promise.reject(error) : memory.remember(proof);
    const { call, runs } = counting(name, { seen: { ...memory, remember } });
    await expect(call(caller("0x01"))).rejects.toMatchObject({ code: error.code, remedy: "retry" });
    isAway = false;
    await call(caller("0x01"));
    expect(runs()).toBe(1);
  }
});

it.each(unkeyed)(
  "%s without a key: one that may be remembered already is to be signed anew",
  async (name) => {
    const lost = new BursarError("STORE_UNAVAILABLE", "lost", { facts: { fault: "CONNECTION_LOST" } });
    const seen = { ...seenInMemory(), remember: () => Promise.reject(lost) };
    const { call, runs } = counting(name, { seen });
    await expect(call(caller("0x01"))).rejects.toMatchObject({ code: lost.code, remedy: "sign" });
    expect(runs()).toBe(0);
  },
);

it.each(keyed)("%s with a key: what broke off may be sent again as it is", async (name) => {
  for (const fault of faults) {
    const { call, runs } = counting(name, { fault });
    const told = await call(caller("0x01")).catch((error: unknown) => error);
    expect(told instanceof BursarError ? told.remedy : "retry").toBe("retry");
    await call(caller("0x01")).catch(() => {});
    expect(runs()).toBe(2);
  }
});

it("knows both kinds", () => {
  expect(unkeyed).toEqual(expect.arrayContaining(["ledger.suspend", "ledger.setLimits", "agents.register"]));
  expect(keyed).toEqual(expect.arrayContaining(["ledger.transfer", "payments.pay", "payments.payBatch"]));
});

it.each(writes.flatMap(({ action }) => (action.stream?.kind === "messages" ? [action.name] : [])))(
  "a message of a stream, here to %s, is signed by nobody, so it must have a key",
  (name) => {
    expect(keyed).toContain(name);
  },
);
