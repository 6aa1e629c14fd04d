import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  atpPriceUp,
  availableAt,
  changed,
  creditDown,
  discharge,
  drawEnergy,
  energyWorthDown,
  isWasteful,
  type Lot,
  release,
  societyMost,
  spoil,
} from "#offchain/features/energy/rules/pool.ts";
import { atp, Pool } from "../pool.ts";

const day = 86_400_000;
const week = 7 * day;

const lot = (id: string, amount: bigint, expiresAt: number, lifetimeMs = week): Lot => ({
  id,
  sourceId: "grid:ABC",
  lifetimeMs,
  expiresAt,
  available: amount,
  reserved: 0n,
  consumed: 0n,
  expired: 0n,
});

describe("charging", () => {
  it("keeps the pool's trace: 1000 ADP against 500 W", () => {
    const pool = new Pool({ adp: atp(1_000), watts: [500] });
    pool.charge(atp(300));
    expect([pool.adp, pool.available()]).toEqual([atp(700), atp(300)]);
    expect(() => pool.charge(atp(300))).toThrow("Insufficient capacity: 600W > 500W");
    pool.allocate(atp(120));
    expect([pool.available(), pool.reserved()]).toEqual([atp(180), atp(120)]);
    expect(() => pool.charge(atp(250))).toThrow("Insufficient capacity: 550W > 500W");
    pool.charge(atp(200));
    expect([pool.adp, pool.available()]).toEqual([atp(500), atp(380)]);
  });

  it("says in facts by how much it would exceed the capacity", () => {
    const pool = new Pool({ adp: atp(1_000), watts: [500] });
    pool.charge(atp(300));
    expect(() => pool.charge(atp(300))).toThrow(
      expect.objectContaining({
        code: "CAPACITY_EXCEEDED",
        facts: { scope: "source", id: "s0", gotWatts: "600", limitWatts: "500" },
      }),
    );
  });

  it("leaves a society no more lots than are read at once", () => {
    const pool = new Pool({ adp: atp(1_000), watts: [500] });
    for (let count = 0; count < societyMost.lots; count += 1) pool.charge(1n);
    expect(() => pool.charge(1n)).toThrow(
      expect.objectContaining({
        code: "CAPACITY_EXCEEDED",
        facts: expect.objectContaining({ scope: "lots", got: societyMost.lots, limit: societyMost.lots }),
      }),
    );
  });

  it("bounds each source by its own power, however much the others have", () => {
    const pool = new Pool({ adp: atp(1_000), watts: [285, 500] });
    expect(() => pool.charge(atp(286), "s0")).toThrow("Insufficient capacity: 286W > 285W");
    pool.charge(atp(285), "s0");
    pool.charge(atp(500), "s1");
  });

  it("is blocked for the whole society while a lost source's ATP is outstanding", () => {
    const pool = new Pool({ adp: atp(1_000), watts: [500, 100] });
    pool.charge(atp(500), "s0");
    pool.lapse("s0");
    expect(() => pool.charge(atp(50), "s1")).toThrow(
      expect.objectContaining({
        facts: expect.objectContaining({ scope: "society", gotWatts: "550", limitWatts: "100" }),
      }),
    );
    pool.now += week + 1;
    pool.charge(atp(50), "s1");
  });

  it("needs ADP, a known source and a proof that holds", () => {
    const pool = new Pool({ adp: atp(10), watts: [500] });
    expect(() => pool.charge(atp(11))).toThrow(
      expect.objectContaining({
        code: "ENERGY_INSUFFICIENT",
        facts: expect.objectContaining({ unit: "ADP" }),
      }),
    );
    expect(() => pool.charge(atp(1), "other")).toThrow(expect.objectContaining({ code: "SOURCE_UNKNOWN" }));
    pool.lapse("s0");
    expect(() => pool.charge(atp(1))).toThrow(expect.objectContaining({ code: "CAPACITY_PROOF_INVALID" }));
  });
});

describe("allocating", () => {
  it("takes the earliest expiry first, where first-in-first-out would waste 100", () => {
    const lots = [lot("1", atp(100), week), lot("2", atp(100), 2 * day, day)];
    const draws = drawEnergy(lots, energyWorthDown(atp(100), day), 1.5 * day);
    expect(draws).toEqual([{ lotId: "2", amount: atp(100) }]);
    const reserved = changed(lots, [
      { lotId: "2", available: -atp(100), reserved: atp(100), consumed: 0n, expired: 0n },
    ]);
    expect(spoil(reserved, 2.1 * day)).toEqual([]);
    expect(spoil(lots, 2.1 * day)).toMatchObject([{ lotId: "2", expired: atp(100) }]);
  });

  it("takes the older of two lots that spoil together", () => {
    const lots = [lot("10", atp(1), week), lot("9", atp(1), week)];
    expect(drawEnergy(lots, energyWorthDown(atp(1), week), 0).map(({ lotId }) => lotId)).toEqual(["9"]);
  });

  it("uses a lot at the moment of its expiry, and not a millisecond later", () => {
    const lots = [lot("1", atp(1), week)];
    expect(drawEnergy(lots, 1n, week)).toHaveLength(1);
    expect(() => drawEnergy(lots, 1n, week + 1)).toThrow(
      expect.objectContaining({
        code: "ENERGY_INSUFFICIENT",
        facts: { unit: "ATP", energyMillijoules: 1n, missingMillijoules: 1n, available: "0" },
      }),
    );
  });

  it("prices work by the watts that it commits over the lot's lifetime, rounded up", () => {
    // 3500 J over seven days are 5.787… mW.
    expect(atpPriceUp(3_500_000n, week)).toBe(5_788n);
    expect(atpPriceUp(604_800n, week)).toBe(1_000n);
    expect(atpPriceUp(604_801n, week)).toBe(1_001n);
    expect(atpPriceUp(1n, week)).toBe(1n);
    expect(atpPriceUp(0n, week)).toBe(0n);
  });

  it("prices each part of a job by the lot that pays for it", () => {
    // One hour's ATP is worth a 168th of a week's: 1 W · 1 h = 3 600 000 mJ.
    const lots = [lot("1", atp(1), 1_000, 3_600_000), lot("2", atp(1), 2_000)];
    expect(drawEnergy(lots, 3_600_000n, 0)).toEqual([{ lotId: "1", amount: atp(1) }]);
    expect(drawEnergy(lots, 3_600_000n + 604_800n, 0)).toEqual([
      { lotId: "1", amount: atp(1) },
      { lotId: "2", amount: 1_000n },
    ]);
    expect(() => drawEnergy(lots, 3_600_000n + 604_800_000n + 1n, 0)).toThrow(
      expect.objectContaining({ code: "ENERGY_INSUFFICIENT" }),
    );
  });

  it("never sells work below its price", () => {
    const amounts = fc.bigInt(1n, 10n ** 15n);
    const lifetimes = fc.integer({ min: 1, max: 365 * day });
    fc.assert(
      fc.property(amounts, lifetimes, (energyMillijoules, lifetimeMs) => {
        const price = atpPriceUp(energyMillijoules, lifetimeMs);
        expect(price * BigInt(lifetimeMs)).toBeGreaterThanOrEqual(energyMillijoules * 1_000_000n);
        expect((price - 1n) * BigInt(lifetimeMs)).toBeLessThan(energyMillijoules * 1_000_000n);
        expect(energyWorthDown(price, lifetimeMs)).toBeGreaterThanOrEqual(energyMillijoules);
      }),
    );
  });
});

describe("completing", () => {
  const lots = [lot("1", 0n, 100, 1_000_000), lot("2", 5n, 200, 1_000_000)];
  const draws = [{ lotId: "1", amount: 10n }];

  it("uses all that was reserved when the estimate was right", () => {
    expect(discharge(lots, draws, 10n, 50)).toEqual({ used: draws, unused: [], overrun: [] });
  });

  it("gives back what the work did not need", () => {
    expect(discharge(lots, draws, 4n, 50)).toEqual({
      used: [{ lotId: "1", amount: 4n }],
      unused: [{ lotId: "1", amount: 6n }],
      overrun: [],
    });
  });

  it("draws an overrun from the pool, and refuses one that the pool cannot pay", () => {
    expect(discharge(lots, draws, 15n, 50)).toEqual({
      used: draws,
      unused: [],
      overrun: [{ lotId: "2", amount: 5n }],
    });
    expect(() => discharge(lots, draws, 16n, 50)).toThrow(
      expect.objectContaining({ code: "ENERGY_INSUFFICIENT" }),
    );
  });

  it("credits the worker by quality, rounded down", () => {
    expect(creditDown(100n, 10_000)).toBe(100n);
    expect(creditDown(101n, 5_000)).toBe(50n);
    expect(creditDown(100n, 0)).toBe(0n);
  });

  it("returns ADP to the society and pays the worker's credit once", () => {
    const pool = new Pool({ adp: atp(1_000), watts: [500] });
    pool.charge(atp(300));
    const ticket = pool.allocate(atp(120));
    pool.complete(ticket, 9_000);
    expect([pool.adp, pool.available(), pool.reserved()]).toEqual([atp(820), atp(180), 0n]);
    expect(pool.credited).toBe(atp(108));
    expect(() => pool.complete(ticket, 9_000)).toThrow();
    expect(pool.credited).toBe(atp(108));
  });
});

describe("failing", () => {
  it("returns ATP, not ADP, to the lot that it came from", () => {
    const pool = new Pool({ adp: atp(1_000), watts: [500] });
    pool.charge(atp(300));
    pool.fail(pool.allocate(atp(120)));
    expect([pool.adp, pool.available(), pool.reserved(), pool.credited]).toEqual([
      atp(700),
      atp(300),
      0n,
      0n,
    ]);
  });

  it("keeps the lot's original expiry, and spoils what is past it", () => {
    const held = { ...lot("1", 0n, 100), reserved: 7n };
    expect(release([held], [{ lotId: "1", amount: 7n }], 100)).toMatchObject([
      { available: 7n, expired: 0n },
    ]);
    expect(release([held], [{ lotId: "1", amount: 7n }], 101)).toMatchObject([
      { available: 0n, expired: 7n },
    ]);
  });
});

describe("spoiling", () => {
  it("alerts above 100 ATP of one lot", () => {
    expect(isWasteful({ ...lot("1", 0n, 0), expired: atp(100) })).toBe(false);
    expect(isWasteful({ ...lot("1", 0n, 0), expired: atp(100) + 1n })).toBe(true);
  });

  it("leaves reserved ATP to its ticket", () => {
    const held = { ...lot("1", 3n, 100), reserved: 7n };
    const after = changed([held], spoil([held], 101));
    expect(after).toMatchObject([{ available: 0n, reserved: 7n, expired: 3n }]);
    expect(availableAt(after, 101)).toBe(0n);
  });
});

describe("a pool", () => {
  it("keeps ADP + ATP + reserved + expired = issued over 20 000 random steps", () => {
    let steps = 0;
    const step = fc.record({
      verb: fc.constantFrom(
        "charge",
        "charge",
        "allocate",
        "allocate",
        "complete",
        "fail",
        "spoil",
        "wait",
        "lapse",
      ),
      amount: fc.bigInt(1n, atp(400)),
      pick: fc.nat(),
      share: fc.integer({ min: 0, max: 20_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 200, maxLength: 200 }), (sequence) => {
        const pool = new Pool({ adp: atp(1_000), watts: [500, 285] });
        for (const { verb, amount, pick, share } of sequence) {
          steps++;
          pool.attempt(verb, amount, pick, share);
          expect(pool.adp + pool.available() + pool.reserved() + pool.expired()).toBe(pool.issued);
          for (const each of pool.lots) {
            expect(each.available >= 0n && each.reserved >= 0n && each.expired >= 0n).toBe(true);
            expect(each.available + each.reserved + each.consumed + each.expired).toBe(
              pool.charged.get(each.id),
            );
          }
          const held = [...pool.tickets.values()].flat().reduce((sum, draw) => sum + draw.amount, 0n);
          expect(pool.reserved()).toBe(held);
        }
      }),
      { numRuns: 100 },
    );
    expect(steps).toBeGreaterThanOrEqual(20_000);
  });
});
