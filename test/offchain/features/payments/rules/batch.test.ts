import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { medianOf } from "#offchain/core/reading.ts";
import {
  type BatchPolicy,
  batchPolicies,
  type Conditions,
  decide,
  dueAt,
  fullBy,
  type PendingBatch,
  settlementCostUp,
} from "#offchain/features/payments/rules/batch.ts";
import { ChannelTokens } from "#offchain/features/payments/rules/tokens.ts";

const immediate: BatchPolicy = {
  mode: "immediate",
  batchSize: 100,
  maxDelayMs: 60_000,
  minAmount: 1_000_000n,
  urgentAmount: 100_000_000n,
};
const aware: BatchPolicy = { ...immediate, mode: "price-aware" };
const unknown: Conditions = { gas: null, energy: null, cost: null };
const dear = { now: 11n, median: 10n };
const cheap = { now: 10n, median: 10n };

const batch = (change: Partial<PendingBatch> = {}): PendingBatch => ({
  payments: 1,
  value: 1n,
  openedAt: 0,
  isForced: false,
  claimBy: null,
  ...change,
});
const decided = (
  change: Partial<PendingBatch>,
  policy = immediate,
  conditions: Partial<Conditions> = {},
  now = 0,
) => {
  const { action, reason } = decide(batch(change), policy, { ...unknown, ...conditions }, now);
  return `${action} ${reason}`;
};

describe("at once, a batch is settled", () => {
  test("at its size, not before", () => {
    expect(decided({ payments: 99 })).toBe("wait payments");
    expect(decided({ payments: 100 })).toBe("settle size");
  });

  test("at its value, not before", () => {
    expect(decided({ value: 999_999n })).toBe("wait payments");
    expect(decided({ value: 1_000_000n })).toBe("settle value");
  });

  test("at its age, if its value is above what settling costs", () => {
    expect(decided({}, immediate, {}, 59_999)).toBe("wait payments");
    expect(decided({}, immediate, {}, 60_000)).toBe("settle age");
    expect(decided({ value: 500n }, immediate, { cost: 500n }, 60_000)).toBe("wait worth");
    expect(decided({ value: 501n }, immediate, { cost: 500n }, 60_000)).toBe("settle age");
  });

  test("by hand or because a payer withdraws, whatever it is worth", () => {
    expect(decided({ isForced: true }, immediate, { cost: 500n })).toBe("settle forced");
    expect(decided({ claimBy: 900_000 }, immediate, { cost: 500n })).toBe("settle withdrawal");
  });

  test("never while it is empty", () => {
    const empty = { payments: 0, value: 0n, isForced: true };
    expect(decided(empty, { ...immediate, minAmount: 0n }, {}, 10 ** 12)).toBe("wait payments");
  });
});

describe("price-aware, a batch at a limit", () => {
  const full = { payments: 100, value: 2_000_000n };

  test("waits for cheap gas, then for clean energy", () => {
    expect(decided(full, aware, { gas: dear, energy: dear })).toBe("wait gas");
    expect(decided(full, aware, { gas: cheap, energy: dear })).toBe("wait energy");
    expect(decided(full, aware, { gas: cheap, energy: cheap })).toBe("settle size");
  });

  test("waits no longer than its delay", () => {
    expect(decide(batch(full), aware, { ...unknown, gas: dear }, 59_999)).toEqual({
      action: "wait",
      reason: "gas",
      until: 60_000,
    });
    expect(decided(full, aware, { gas: dear, energy: dear }, 60_000)).toBe("settle size");
  });

  test("does not wait for cleaner energy when it is urgent", () => {
    expect(decided({ value: 100_000_000n }, aware, { gas: cheap, energy: dear })).toBe("settle value");
  });

  test("does not wait for what it cannot know", () => {
    expect(decided(full, aware)).toBe("settle size");
  });

  test("goes on filling up to its size", () => {
    expect(fullBy({ payments: 5, value: 2_000_000n }, immediate)).toBe("value");
    expect(fullBy({ payments: 5, value: 2_000_000n }, aware)).toBeNull();
    expect(fullBy({ payments: 100, value: 1n }, aware)).toBe("size");
  });
});

const policies = fc.record({
  mode: fc.constantFrom("immediate" as const, "price-aware" as const),
  batchSize: fc.integer({ min: 1, max: 200 }),
  maxDelayMs: fc.integer({ min: 10, max: 1_000 }),
  minAmount: fc.bigInt({ min: 0n, max: 1_000n }),
  urgentAmount: fc.bigInt({ min: 0n, max: 2_000n }),
});
const readings = fc.option(
  fc.record({ now: fc.bigInt({ min: 0n, max: 20n }), median: fc.bigInt({ min: 0n, max: 20n }) }),
);
const worlds = fc.record({
  gas: readings,
  energy: readings,
  cost: fc.option(fc.bigInt({ min: 0n, max: 1_000n })),
});
const batches = fc.record({
  payments: fc.integer({ min: 1, max: 200 }),
  value: fc.bigInt({ min: 1n, max: 2_000n }),
  openedAt: fc.constant(0),
  isForced: fc.boolean(),
  claimBy: fc.option(fc.integer({ min: 0, max: 5_000 })),
});
const moments = fc.integer({ min: 0, max: 2_000 });
const settles = (...args: Parameters<typeof decide>) => decide(...args).action === "settle";

describe("whatever the batch, the policy and the world", () => {
  test("what is worth its gas, has reached a limit or is forced is settled by its delay", () => {
    fc.assert(
      fc.property(batches, policies, worlds, moments, (one, policy, world, later) => {
        const isOwed =
          world.cost === null ||
          one.value > world.cost ||
          one.payments >= policy.batchSize ||
          one.value >= policy.minAmount;
        fc.pre(isOwed);
        expect(settles(one, policy, world, policy.maxDelayMs + later)).toBe(true);
      }),
    );
  });

  test("a withdrawal or a word by hand settles at any moment", () => {
    fc.assert(
      fc.property(batches, policies, worlds, moments, (one, policy, world, now) => {
        fc.pre(one.isForced || one.claimBy !== null);
        expect(settles(one, policy, world, now)).toBe(true);
      }),
    );
  });

  /** Once settled, still settled with the change. */
  const neverHinders = (
    change: (one: PendingBatch, world: Conditions, now: number) => [PendingBatch, Conditions, number],
  ) =>
    fc.assert(
      fc.property(batches, policies, worlds, moments, (one, policy, world, now) => {
        fc.pre(settles(one, policy, world, now));
        const [changed, then, at] = change(one, world, now);
        expect(settles(changed, policy, then, at)).toBe(true);
      }),
    );

  test("more value, more payments and more time never make it wait", () => {
    neverHinders((one, world, now) => [{ ...one, value: one.value + 7n }, world, now]);
    neverHinders((one, world, now) => [{ ...one, payments: one.payments + 7 }, world, now]);
    neverHinders((one, world, now) => [one, world, now + 7]);
  });

  test("cheaper gas and cleaner energy never make it wait", () => {
    const lower = <Known extends { now: bigint } | null>(reading: Known): Known =>
      reading && { ...reading, now: reading.now / 2n };
    neverHinders((one, world, now) => [
      one,
      { ...world, gas: lower(world.gas), cost: world.cost && world.cost / 2n },
      now,
    ]);
    neverHinders((one, world, now) => [one, { ...world, energy: lower(world.energy) }, now]);
  });

  test("a wait names when it ends at the latest, unless its worth must change first", () => {
    fc.assert(
      fc.property(batches, policies, worlds, moments, (one, policy, world, now) => {
        const decision = decide(one, policy, world, now);
        fc.pre(decision.action === "wait");
        if (decision.reason === "worth") expect(decision.until).toBeNull();
        else expect(decision.until).toBe(policy.maxDelayMs);
      }),
    );
  });

  test("what takes no more payments at once is settled at once when nothing is worth waiting for", () => {
    fc.assert(
      fc.property(batches, policies, moments, (one, policy, now) => {
        fc.pre(fullBy(one, policy) !== null);
        expect(settles(one, policy, unknown, now)).toBe(true);
      }),
    );
  });
});

test("settling costs what the measured transactions cost, rounded up", () => {
  const gas = (channels: number, payees: number) =>
    Number(settlementCostUp({ channels, payees }, 10n ** 12n, 10n ** 6n));
  for (const [channels, payees, measured] of [
    [1, 1, 65_850],
    [10, 1, 159_119],
    [100, 1, 1_093_665],
    [100, 100, 3_770_000],
  ] as const)
    expect(Math.abs(gas(channels, payees) / measured - 1)).toBeLessThan(0.03);
  expect(settlementCostUp({ channels: 1, payees: 1 }, 1n, 1n)).toBe(1n);
  // 67,400 gas at 2 gwei and 3,000 USDC for one ether.
  expect(settlementCostUp({ channels: 1, payees: 1 }, 2_000_000_000n, 3_000_000_000n)).toBe(404_400n);
});

test("a median is the middle figure, of two the lower, of none null", () => {
  expect(medianOf([5n, 1n, 3n])).toBe(3n);
  expect(medianOf([4n, 2n])).toBe(2n);
  expect(medianOf([])).toBeNull();
});

test("batches in other tokens go by size, age and their own value: neither gas nor the grid is weighed", () => {
  const tokens = new ChannelTokens({ address: "0x01", minAmount: 1n }, [
    { unit: "AVT", address: "0x02", minAmount: 7n },
    { unit: "EURC", address: "0x03", minAmount: null },
  ]);
  const of = batchPolicies(aware, tokens);
  expect(of("USDC")).toBe(aware);
  expect(of("AVT")).toMatchObject({ mode: "immediate", minAmount: 7n, batchSize: aware.batchSize });
  expect(fullBy({ payments: 1, value: 7n }, of("AVT"))).toBe("value");
  expect(fullBy({ payments: 1, value: 10n ** 30n }, of("EURC")), "no value closes it").toBeNull();
  expect(() => of("VMC")).toThrow("no channel is in VMC");
});

test("a batch that a clock opened far ahead is due, and one of another instance's clock waits its time", () => {
  const policy = { maxDelayMs: 3_000 };
  expect(dueAt({ openedAt: 10_000 }, policy, 10_500)).toBe(13_000);
  expect(dueAt({ openedAt: 10_000 }, policy, 9_900)).toBe(13_000);
  expect(dueAt({ openedAt: 3_600_000 }, policy, 10_000)).toBe(10_000);
  expect(dueAt({ openedAt: 13_001 }, policy, 10_000)).toBe(10_000);
});
