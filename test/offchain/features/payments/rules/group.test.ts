import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchPolicy } from "#offchain/features/payments/rules/batch.ts";
import {
  type EarlierPayment,
  Filling,
  type FillingBatch,
  Seen,
  type VerifiedPayment,
} from "#offchain/features/payments/rules/group.ts";

const channel = (byte: string) => `0x${byte.repeat(32)}` as const;
const [one, other] = [channel("11"), channel("22")];

const payment = (
  key: string,
  cumulative: bigint,
  change: Partial<VerifiedPayment> = {},
): VerifiedPayment => ({
  channelId: one,
  key,
  maxClaimableAmount: cumulative,
  signature: new Uint8Array(64),
  amount: undefined,
  payee: undefined,
  ticketId: undefined,
  reference: undefined,
  submitter: null,
  ...change,
});

const booked = (
  id: bigint,
  key: string,
  cumulative: bigint,
  ticketId: string | null = null,
): EarlierPayment => ({
  id,
  channelId: one,
  key,
  unit: "USDC",
  cumulative,
  amount: 1n,
  signature: new Uint8Array(64),
  ticketId,
  reference: null,
  payee: null,
  receiver: `0x${"bb".repeat(20)}`,
});

describe("what was seen", () => {
  test("is found by its key, and by its cumulative amount under whichever key", () => {
    const row = booked(9n, "k", 100n);
    const seen = new Seen([row]);
    expect(seen.byKey(payment("k", 7n))).toBe(row);
    expect(seen.byCumulative(payment("another", 100n))).toBe("k");
    expect(seen.byKey(payment("K", 100n))).toBeUndefined();
    expect(seen.byCumulative(payment("k", 101n))).toBeUndefined();
    expect(seen.byCumulative(payment("k", 99n))).toBeUndefined();
  });

  test("of one channel says nothing of another, whose keys and amounts are its own", () => {
    const seen = new Seen([booked(9n, "k", 100n)]);
    seen.remember(payment("l", 200n));
    for (const [key, cumulative] of [
      ["k", 100n],
      ["l", 200n],
    ] as const) {
      const elsewhere = payment(key, cumulative, { channelId: other });
      expect([seen.byKey(elsewhere), seen.byCumulative(elsewhere)]).toEqual([undefined, undefined]);
    }
  });

  test("in this group is told apart from what the tables hold: its row is not there yet", () => {
    const seen = new Seen<EarlierPayment>([]);
    seen.remember(payment("k", 100n));
    expect(seen.byKey(payment("k", 1n))).toBe("now");
    expect(seen.byCumulative(payment("x", 100n))).toBe("k");
  });

  test("pays a ticket once in a group, by whichever channel", () => {
    const seen = new Seen<EarlierPayment>([]);
    seen.remember(payment("k", 100n));
    expect(seen.paysTicket("t")).toBe(false);
    seen.remember(payment("l", 200n, { channelId: other, ticketId: "t" }));
    expect([seen.paysTicket("t"), seen.paysTicket("T")]).toEqual([true, false]);
  });

  test("of several under one amount keeps them all by key", () => {
    const seen = new Seen([booked(1n, "a", 1n), booked(2n, "b", 2n)]);
    expect(["a", "b"].map((key) => (seen.byKey(payment(key, 0n)) as EarlierPayment).id)).toEqual([1n, 2n]);
  });
});

const policy = (change: Partial<BatchPolicy> = {}): BatchPolicy => ({
  mode: "immediate",
  batchSize: 3,
  maxDelayMs: 60_000,
  minAmount: 100n,
  urgentAmount: 1_000n,
  ...change,
});

const open = (change: Partial<FillingBatch> = {}): FillingBatch => ({
  id: 7n,
  unit: "USDC",
  payments: 1,
  value: 10n,
  openedAt: 1,
  closedBy: null,
  ...change,
});

describe("a batch that fills", () => {
  test("takes payments until the one that makes it full, which is in it", () => {
    const filling = new Filling([open()], () => policy(), 5);
    expect([1n, 1n, 1n].map((amount) => filling.add(amount, "USDC").id)).toEqual([7n, 7n, null]);
    expect(filling.batches).toEqual([
      { id: 7n, unit: "USDC", payments: 3, value: 12n, openedAt: 1, closedBy: "size" },
      { id: null, unit: "USDC", payments: 1, value: 1n, openedAt: 5, closedBy: null },
    ]);
  });

  test("is closed by value at the limit and not one base unit below it", () => {
    expect(new Filling([open({ value: 50n })], () => policy(), 5).add(49n, "USDC").closedBy).toBeNull();
    expect(new Filling([open({ value: 50n })], () => policy(), 5).add(50n, "USDC").closedBy).toBe("value");
  });

  test("goes on filling above that value while it waits for its moment, until its size", () => {
    const filling = new Filling([open()], () => policy({ mode: "price-aware" }), 5);
    expect(filling.add(1_000_000n, "USDC").closedBy).toBeNull();
    expect(filling.add(1n, "USDC").closedBy).toBe("size");
  });

  test("of one payment each is a batch for every payment", () => {
    const filling = new Filling([], () => policy({ batchSize: 1 }), 5);
    for (let count = 0; count < 3; count += 1) filling.add(1n, "USDC");
    expect(filling.batches.map(({ payments, closedBy }) => [payments, closedBy])).toEqual([
      [1, "size"],
      [1, "size"],
      [1, "size"],
    ]);
  });

  test("that is closed already takes nothing, and is not written again", () => {
    const closed = open({ closedBy: "forced" });
    const filling = new Filling([closed], () => policy(), 5);
    expect(filling.add(1n, "USDC").id).toBeNull();
    expect(filling.batches).toHaveLength(1);
    expect(closed).toEqual(open({ closedBy: "forced" }));
  });

  test("takes payments of its own unit alone; each unit fills by its own limits", () => {
    const policies = (unit: string) => policy(unit === "USDC" ? {} : { minAmount: 5n });
    const filling = new Filling([open()], policies, 5);
    filling.add(1n, "USDC");
    expect(filling.add(4n, "AVT").closedBy).toBeNull();
    filling.add(1n, "USDC");
    expect(filling.add(1n, "AVT").closedBy).toBe("value");
    expect(filling.batches).toEqual([
      { id: 7n, unit: "USDC", payments: 3, value: 12n, openedAt: 1, closedBy: "size" },
      { id: null, unit: "AVT", payments: 2, value: 5n, openedAt: 5, closedBy: "value" },
    ]);
  });

  test("is none of those that took a payment when nothing is added", () => {
    expect(new Filling([open()], () => policy(), 5).batches).toEqual([]);
  });

  test("loses no payment and no value: every batch is closed but the last, and none is too large", () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(1n, 300n), { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom("immediate" as const, "price-aware" as const),
        (amounts, batchSize, mode) => {
          const filling = new Filling(
            [open({ payments: 0, value: 0n })],
            () => policy({ batchSize, mode }),
            5,
          );
          for (const amount of amounts) filling.add(amount, "USDC");
          const { batches } = filling;
          expect(batches.reduce((sum, { payments }) => sum + payments, 0)).toBe(amounts.length);
          expect(batches.reduce((sum, { value }) => sum + value, 0n)).toBe(
            amounts.reduce((sum, amount) => sum + amount, 0n),
          );
          for (const { payments } of batches) expect(payments).toBeLessThanOrEqual(batchSize);
          expect(batches.slice(0, -1).every(({ closedBy }) => closedBy !== null)).toBe(true);
        },
      ),
    );
  });
});
