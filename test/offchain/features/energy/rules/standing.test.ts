import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { Lot, Source } from "#offchain/features/energy/rules/pool.ts";
import { accountsOf, figuresOf } from "#offchain/features/energy/rules/standing.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import { lot } from "../given.ts";

interface Books {
  issued: bigint;
  adp: bigint;
  /** ATP on the society's account, and what of it is held. */
  atp: bigint;
  pending: bigint;
  swept: bigint;
  consumed: bigint;
}

const nothing: Books = { issued: 0n, adp: 0n, atp: 0n, pending: 0n, swept: 0n, consumed: 0n };

/** Balances as the ledger would answer; an account that is asked for in the wrong unit is empty. */
const balances = (books: Partial<Books>) => (account: AccountName, unit: UnitCode) => {
  const { issued, adp, atp, pending, swept, consumed } = { ...nothing, ...books };
  const known: Record<string, bigint> = {
    "issuer:society:s ADP": -issued,
    "society:s ADP": adp,
    "society:s ATP": atp,
    "expired:s ATP": swept,
    "consumed:s ATP": consumed,
  };
  const name = `${account} ${unit}`;
  return { balance: known[name] ?? 0n, pending: name === "society:s ATP" ? pending : 0n };
};

const source = (effectiveMicrowatts: bigint, lapsesAt = 100): Source => ({
  id: "grid:ABC",
  effectiveMicrowatts,
  lapsesAt,
});

const figures = (
  books: Partial<Books>,
  lots: readonly Lot[] = [],
  sources: readonly Source[] = [],
  now = 10,
) => figuresOf("s", balances(books), sources, lots, now);

describe("a society's figures", () => {
  it("are all nothing before anything was issued, its waste too", () => {
    expect(figures({})).toEqual({
      issued: 0n,
      capacityMicrowatts: 0n,
      adp: 0n,
      atp: 0n,
      reserved: 0n,
      expired: 0n,
      consumed: 0n,
      wasteBps: 0,
      isOvercommitted: false,
    });
  });

  it("count what spoiled and was not swept yet as expired already, not as there to spend", () => {
    const lots = [
      lot("old", { available: 30n, reserved: 5n, expiresAt: 9 }),
      lot("new", { available: 40n, reserved: 15n }),
    ];
    const books = { issued: 200n, adp: 100n, atp: 90n, pending: 20n, swept: 10n, consumed: 100n };
    expect(figures(books, lots)).toMatchObject({
      issued: 200n,
      adp: 100n,
      atp: 40n,
      reserved: 20n,
      expired: 40n,
      consumed: 100n,
      // 40 of 90 + 10 + 100 that were ever charged.
      wasteBps: 2_000,
    });
    // A millisecond earlier the old lot had not spoiled.
    expect(figures(books, lots, [], 9)).toMatchObject({ atp: 70n, expired: 10n, wasteBps: 500 });
  });

  it("round the share that was wasted down: 1 of 3 is 33.33 %, and all is 100 %", () => {
    expect(figures({ swept: 1n, consumed: 2n }).wasteBps).toBe(3_333);
    expect(figures({ swept: 2n, consumed: 1n }).wasteBps).toBe(6_666);
    expect(figures({ swept: 1n, consumed: 10_000n }).wasteBps).toBe(0);
    expect(figures({ swept: 7n }).wasteBps).toBe(10_000);
  });

  it("always add up: ADP + ATP + reserved + expired = issued, for any lots that the books agree with", () => {
    const some = fc.array(
      fc.record({
        available: fc.bigInt(0n, 10n ** 12n),
        reserved: fc.bigInt(0n, 10n ** 12n),
        expired: fc.bigInt(0n, 10n ** 12n),
        consumed: fc.bigInt(0n, 10n ** 12n),
        expiresAt: fc.integer({ min: 0, max: 20 }),
      }),
    );
    fc.assert(
      fc.property(some, fc.bigInt(0n, 10n ** 12n), (parts, adp) => {
        const lots = parts.map((part, at) => lot(`${at}`, part));
        const sum = (part: "available" | "reserved" | "expired" | "consumed") =>
          lots.reduce((all, one) => all + one[part], 0n);
        const atp = sum("available") + sum("reserved");
        const shown = figures(
          {
            issued: adp + atp + sum("expired"),
            adp,
            atp,
            pending: sum("reserved"),
            swept: sum("expired"),
            consumed: sum("consumed"),
          },
          lots,
        );
        expect(shown.adp + shown.atp + shown.reserved + shown.expired).toBe(shown.issued);
        expect(shown.expired).toBeGreaterThanOrEqual(0n);
        expect(shown.wasteBps).toBeGreaterThanOrEqual(0);
        expect(shown.wasteBps).toBeLessThanOrEqual(10_000);
      }),
    );
  });
});

describe("a society is overcommitted", () => {
  const committed = [lot("1", { available: 60n, reserved: 40n })];

  it("from one µW above what valid proofs vouch for, not at it", () => {
    expect(figures({}, committed, [source(100n)])).toMatchObject({
      capacityMicrowatts: 100n,
      isOvercommitted: false,
    });
    expect(figures({}, committed, [source(99n)]).isOvercommitted).toBe(true);
  });

  it("from the very moment a proof lapses, and no longer once what is free has spoiled", () => {
    expect(figures({}, committed, [source(100n, 11)]).isOvercommitted).toBe(false);
    expect(figures({}, committed, [source(100n, 10)])).toMatchObject({
      capacityMicrowatts: 0n,
      isOvercommitted: true,
    });
    const spoiled = [lot("1", { available: 60n, expiresAt: 9 })];
    expect(figures({}, spoiled, [source(100n, 10)]).isOvercommitted).toBe(false);
  });
});

it("every account that the figures are made of is asked for", () => {
  const asked = new Set<string>();
  const balanceOf = (account: AccountName) => {
    asked.add(account);
    return { balance: 0n, pending: 0n };
  };
  figuresOf("s", balanceOf, [], [], 0);
  expect(new Set(accountsOf("s"))).toEqual(asked);
});
