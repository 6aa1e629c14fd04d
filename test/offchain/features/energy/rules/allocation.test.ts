import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AllocationPool, decideAllocations } from "#offchain/features/energy/rules/allocation.ts";
import { changed, reserve } from "#offchain/features/energy/rules/pool.ts";
import { keyOf, type TicketRequest } from "#offchain/features/energy/rules/ticket.ts";
import { hour, lot, request, ticket, week } from "../given.ts";

/** 3 500 J over the 604 800 s of a week are 5.787… mW: 5 788 µATP, rounded up. */
const price = 5_788n;

const pool = (available: bigint, change: Partial<AllocationPool> = {}): AllocationPool => ({
  societies: new Set(["s", "other"]),
  answered: new Map(),
  lots: new Map([["s", [lot("1", { available })]]]),
  ...change,
});

function decide(around: AllocationPool, requests: readonly TicketRequest[], now = 10) {
  let ids = 0;
  const decided = decideAllocations(around, requests, () => `t${++ids}`, now);
  const codes = decided.outcomes.map((one) => (one.ok ? one.ticket.id : one.error.code));
  return { ...decided, codes };
}

describe("an allocation", () => {
  it("reserves what the work is worth, rounded up, until its deadline", () => {
    const { outcomes, reservations } = decide(pool(price), [request("k", { timeoutMs: hour })]);
    expect(outcomes).toEqual([
      {
        ok: true,
        replayed: false,
        ticket: {
          ...ticket("t1", { key: "k", reserved: price, createdAt: 10, deadlineAt: 10 + hour }),
        },
      },
    ]);
    expect(reservations.map(({ draws }) => draws)).toEqual([[{ lotId: "1", amount: price }]]);
  });

  it("fails by one µATP, and says what is missing", () => {
    const { outcomes, reservations } = decide(pool(price - 1n), [request("k")]);
    // 5 787 µW · 604 800 s = 3 499 977.6 mJ are paid for, of 3 500 000.
    expect(outcomes).toMatchObject([
      {
        ok: false,
        error: {
          code: "ENERGY_INSUFFICIENT",
          facts: { energyMillijoules: 3_500_000n, missingMillijoules: 23n, available: "0.005787" },
        },
      },
    ]);
    expect(reservations).toEqual([]);
  });

  it("is priced by the job's own profile: 80 % busy, PUE 1.2 are 3 360 J", () => {
    const { reservations } = decide(pool(price), [request("k", { profile: "datacenter" })]);
    expect(reservations[0]?.ticket.reserved).toBe(5_556n);
  });

  it("takes from a lot until the moment of its expiry, that moment included", () => {
    expect(decide(pool(price), [request("k")], week).codes).toEqual(["t1"]);
    expect(decide(pool(price), [request("k")], week + 1).codes).toEqual(["ENERGY_INSUFFICIENT"]);
  });

  it("is refused to a society that does not exist, before anything else is asked", () => {
    const { codes, outcomes } = decide(pool(price), [request("k", { society: "nowhere" })]);
    expect(codes).toEqual(["SOCIETY_UNKNOWN"]);
    expect(outcomes).toMatchObject([{ error: { facts: { society: "nowhere" } } }]);
  });

  it("never draws from another society's lots", () => {
    expect(decide(pool(price), [request("k", { society: "other" })]).codes).toEqual(["ENERGY_INSUFFICIENT"]);
  });
});

describe("several at once", () => {
  it("are decided in turn: what the first reserved is not there for the second", () => {
    const twice = [request("a"), request("b"), request("c")];
    expect(decide(pool(2n * price), twice).codes).toEqual(["t1", "t2", "ENERGY_INSUFFICIENT"]);
    expect(decide(pool(2n * price - 1n), twice).codes.slice(0, 2)).toEqual(["t1", "ENERGY_INSUFFICIENT"]);
  });

  it("leave what a refused one asked for to the next", () => {
    const [large, small] = [request("a", { durationMs: 5_001 }), request("b")];
    expect(decide(pool(price), [large, small]).codes).toEqual(["ENERGY_INSUFFICIENT", "t2"]);
  });

  it("never reserve more of a lot than it has, whatever is asked in whatever order", () => {
    const some = fc.array(
      fc.record({ durationMs: fc.integer({ min: 1, max: 20_000 }), society: fc.constantFrom("s", "other") }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(some, fc.bigInt(0n, 60_000n), fc.bigInt(0n, 60_000n), (asked, mine, theirs) => {
        const lots = new Map([
          [
            "s",
            [lot("1", { available: mine }), lot("2", { available: 9n, lifetimeMs: hour, expiresAt: hour })],
          ],
          ["other", [lot("3", { available: theirs })]],
        ]);
        const requests = asked.map((change, at) => request(`k${at}`, change));
        const { outcomes, reservations } = decide(pool(0n, { lots }), requests);
        expect(outcomes).toHaveLength(requests.length);
        const changes = reserve(reservations.flatMap(({ draws }) => draws));
        for (const after of changed([...lots.values()].flat(), changes))
          expect(after.available >= 0n && after.reserved >= 0n).toBe(true);
        for (const { ticket: made, draws } of reservations)
          expect(draws.reduce((sum, { amount }) => sum + amount, 0n)).toBe(made.reserved);
      }),
    );
  });
});

describe("the same key again", () => {
  it("is answered with the ticket of before and draws nothing, even from an empty pool", () => {
    const before = ticket("made", { key: "k", createdAt: 3, deadlineAt: 3 + hour });
    const answered = new Map([[keyOf(before), before]]);
    const { outcomes, reservations } = decide(pool(0n, { answered }), [request("k")]);
    expect(outcomes).toEqual([{ ok: true, ticket: before, replayed: true }]);
    expect(reservations).toEqual([]);
  });

  it("within one call is one ticket, drawn once", () => {
    const { outcomes, codes, reservations } = decide(pool(price), [request("k"), request("k")]);
    expect(codes).toEqual(["t1", "t1"]);
    expect(outcomes).toMatchObject([{ replayed: false }, { replayed: true }]);
    expect(reservations).toHaveLength(1);
  });

  it("for other work is a conflict", () => {
    const { outcomes } = decide(pool(9n * price), [request("k"), request("k", { durationMs: 5_001 })]);
    expect(outcomes[1]).toMatchObject({
      ok: false,
      error: { code: "IDEMPOTENCY_CONFLICT", facts: { society: "s", key: "k" } },
    });
  });

  it("of another society is another key", () => {
    const lots = new Map(
      ["s", "other"].map((society, at) => [society, [lot(`${at}`, { available: price })]]),
    );
    expect(decide(pool(0n, { lots }), [request("k"), request("k", { society: "other" })]).codes).toEqual([
      "t1",
      "t2",
    ]);
  });

  it("is free again when its first request was refused", () => {
    const requests = [request("k", { durationMs: 5_001 }), request("k")];
    expect(decide(pool(price), requests).codes).toEqual(["ENERGY_INSUFFICIENT", "t2"]);
  });
});
