import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { least } from "#offchain/core/rounding.ts";
import type { Draw, LotRecord } from "#offchain/features/energy/rules/pool.ts";
import {
  chargeOperations,
  completeOperations,
  type Discharged,
  emittedAccount,
  holdOperation,
  issueOperations,
  releaseOperations,
  spoilLotOperation,
  workerAccount,
} from "#offchain/features/energy/rules/postings.ts";
import { Accounts, lot, worker } from "../given.ts";

const charged = (id: string, amount: bigint, sourceId = "solar:A"): LotRecord => ({
  ...lot(id, { sourceId }),
  society: "s",
  charged: amount,
  chargedAt: 0,
});

const discharged = (change: Partial<Discharged> = {}): Discharged => ({
  ticketId: "t",
  society: "s",
  holdId: "energy:ticket:t:hold",
  worker,
  region: "us-east",
  qualityBps: 10_000,
  co2Micrograms: 1n,
  used: [{ lotId: "1", amount: 60n }],
  overrun: [],
  spoiled: 0n,
  sourceOf: () => "solar:A",
  ...change,
});

/** The three lines of the comment in postings.ts, for society s with the sources A and B. */
function expectIdentities(ledger: Accounts): void {
  const { balance } = ledger;
  const [atp, expired] = [balance("society:s", "ATP"), balance("expired:s", "ATP")];
  const sources = ["capacity:solar:A", "capacity:wind:B"] as const;
  const ofSources = (unit: "ADP" | "ATP") => sources.reduce((sum, one) => sum + balance(one, unit), 0n);
  expect(balance("society:s", "ADP") + atp + expired).toBe(-balance("issuer:society:s", "ADP"));
  expect(ofSources("ADP")).toBe(atp + expired);
  expect(ofSources("ATP")).toBe(-(atp + expired + balance("consumed:s", "ATP")));
}

describe("energy's way through the ledger", () => {
  it("issue, charge, allocate, complete: 1 000 ADP, 100 ATP charged, 60 used of 80", () => {
    const ledger = new Accounts();
    ledger.apply(issueOperations("s", "k", 1_000n));
    ledger.apply(chargeOperations(charged("1", 100n)));
    expect([ledger.balance("society:s", "ADP"), ledger.balance("society:s", "ATP")]).toEqual([900n, 100n]);
    expectIdentities(ledger);
    ledger.apply([holdOperation("t", "s", 80n)]);
    expect(ledger.pending("society:s")).toBe(80n);
    ledger.apply(completeOperations(discharged({ qualityBps: 9_999, co2Micrograms: 340_278n })));
    expectIdentities(ledger);
    expect(ledger.pending("society:s")).toBe(0n);
    expect([ledger.balance("society:s", "ADP"), ledger.balance("society:s", "ATP")]).toEqual([960n, 40n]);
    expect(ledger.balance("consumed:s", "ATP")).toBe(60n);
    // 60 · 0.9999 = 59.994, rounded down.
    expect(ledger.balance(workerAccount(worker), "ADP")).toBe(59n);
    expect(ledger.balance(emittedAccount(worker), "CO2E")).toBe(340_278n);
    expect(ledger.balance("grid:us-east", "CO2E")).toBe(-340_278n);
  });

  it("a worker's credit is paid by no society: its issuer is another", () => {
    const [credit] = completeOperations(discharged()).filter(({ key }) => key.endsWith(":credit"));
    expect(credit).toMatchObject({ debit: "issuer:work", unit: "ADP", amount: 60n });
  });

  it("a failed ticket gives all back, and what spoiled meanwhile moves on", () => {
    for (const spoiled of [0n, 1n, 80n]) {
      const ledger = new Accounts();
      ledger.apply(issueOperations("s", "k", 100n));
      ledger.apply(chargeOperations(charged("1", 100n)));
      ledger.apply([holdOperation("t", "s", 80n)]);
      ledger.apply(releaseOperations("t", "s", "energy:ticket:t:hold", spoiled));
      expect(ledger.pending("society:s")).toBe(0n);
      expect(ledger.balance("society:s", "ATP")).toBe(100n - spoiled);
      expect(ledger.balance("expired:s", "ATP")).toBe(spoiled);
      expectIdentities(ledger);
    }
  });

  it("keeps the comment's three identities over any sequence of steps", () => {
    const step = fc.record({
      verb: fc.constantFrom("issue", "charge", "allocate", "complete", "fail", "spoil"),
      amount: fc.bigInt(1n, 1_000n),
      share: fc.integer({ min: 1, max: 10_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new Accounts();
        const open: { id: string; draws: Draw[] }[] = [];
        const sourceOf = (lotId: string) => (Number(lotId) % 2 === 0 ? "solar:A" : "wind:B");
        for (const [at, { verb, amount, share }] of steps.entries()) {
          const free = ledger.balance("society:s", "ATP") - ledger.pending("society:s");
          const ticket = open[0];
          if (verb === "issue") ledger.apply(issueOperations("s", `${at}`, amount));
          if (verb === "charge" && ledger.balance("society:s", "ADP") >= amount)
            ledger.apply(chargeOperations(charged(`${at}`, amount, sourceOf(`${at}`))));
          if (verb === "allocate" && free > 0n) {
            const draws = [{ lotId: `${at}`, amount: least(free, amount) }];
            ledger.apply([holdOperation(`${at}`, "s", draws[0]?.amount ?? 0n)]);
            open.push({ id: `${at}`, draws });
          }
          if (verb === "complete" && ticket) {
            const { id, draws } = ticket;
            open.shift();
            const used = draws.map((one) => ({
              ...one,
              amount: (one.amount * BigInt(share) + 9_999n) / 10_000n,
            }));
            const overrun = free >= amount ? [{ lotId: `${at}`, amount }] : [];
            const figures = { used, overrun, sourceOf, qualityBps: share, ticketId: id };
            ledger.apply(completeOperations(discharged({ ...figures, holdId: `energy:ticket:${id}:hold` })));
          }
          if (verb === "fail" && ticket) {
            open.shift();
            ledger.apply(releaseOperations(ticket.id, "s", `energy:ticket:${ticket.id}:hold`, 0n));
          }
          if (verb === "spoil" && free > 0n) ledger.apply([spoilLotOperation("s", `${at}`, free)]);
          expectIdentities(ledger);
        }
      }),
    );
  });
});

describe("the operations of one step", () => {
  it("are linked, so that a charge never takes ADP without giving ATP", () => {
    const operations = chargeOperations(charged("7", 5n));
    expect(operations.map((one) => [one.key, one.link])).toEqual([
      ["energy:lot:7:adp", "energy:lot:7"],
      ["energy:lot:7:atp", "energy:lot:7"],
    ]);
    expect(operations).toMatchObject([
      { debit: "society:s", credit: "capacity:solar:A", unit: "ADP", amount: 5n },
      { debit: "capacity:solar:A", credit: "society:s", unit: "ATP", amount: 5n },
    ]);
  });

  it("of a completion all carry the ticket's link, the post and what spoiled too", () => {
    const all = completeOperations(discharged({ overrun: [{ lotId: "2", amount: 1n }], spoiled: 3n }));
    expect(all.map(({ key }) => key.replace("energy:ticket:t:", ""))).toEqual([
      "post",
      "overrun",
      "adp:0",
      "credit",
      "co2e",
      "spoil",
    ]);
    expect(new Set(all.map(({ link }) => link))).toEqual(new Set(["energy:ticket:t"]));
  });

  it("leave out what moves nothing: no overrun, no credit for quality 0, no CO₂, nothing spoiled", () => {
    const few = completeOperations(discharged({ qualityBps: 0, co2Micrograms: 0n }));
    expect(few.map(({ kind, key }) => [kind, key])).toEqual([
      ["post", "energy:ticket:t:post"],
      ["transfer", "energy:ticket:t:adp:0"],
    ]);
    // A ten-thousandth of quality on 60 µATP is less than one µADP.
    expect(completeOperations(discharged({ qualityBps: 1 })).some(({ key }) => key.endsWith("credit"))).toBe(
      false,
    );
    expect(releaseOperations("t", "s", "h", 0n)).toHaveLength(1);
  });

  it("return ADP to each source once, used and overrun together, and in all what was consumed", () => {
    const operations = completeOperations(
      discharged({
        used: [
          { lotId: "1", amount: 10n },
          { lotId: "2", amount: 20n },
          { lotId: "3", amount: 30n },
        ],
        overrun: [{ lotId: "2", amount: 5n }],
        sourceOf: (lotId) => (lotId === "2" ? "wind:B" : "solar:A"),
      }),
    );
    const returned = operations.flatMap((one) =>
      one.kind === "transfer" && one.credit === "society:s" ? [[one.debit, one.amount]] : [],
    );
    expect(returned).toEqual([
      ["capacity:solar:A", 40n],
      ["capacity:wind:B", 25n],
    ]);
  });

  it("have keys of their own: issues of two societies or keys, tickets and lots never share one", () => {
    const keys = [
      ...issueOperations("a", "k", 1n),
      ...issueOperations("b", "k", 1n),
      ...issueOperations("a", "l", 1n),
      holdOperation("1", "a", 1n),
      ...releaseOperations("1", "a", "h", 1n),
      spoilLotOperation("a", "1", 1n),
      ...chargeOperations(charged("1", 1n)),
    ].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
