import { describe, expect, test } from "vitest";
import { closeReason } from "#offchain/domain/batch.ts";

const limits = { batchSize: 100, maxDelayMs: 60_000, minAmount: 1_000_000n };

describe("a batch closes", () => {
  test("at its size", () => {
    expect(closeReason({ payments: 99, value: 1n, openedAt: 0 }, limits, 0)).toBeNull();
    expect(closeReason({ payments: 100, value: 1n, openedAt: 0 }, limits, 0)).toBe("size");
  });

  test("at its value", () => {
    expect(closeReason({ payments: 1, value: 999_999n, openedAt: 0 }, limits, 0)).toBeNull();
    expect(closeReason({ payments: 1, value: 1_000_000n, openedAt: 0 }, limits, 0)).toBe("value");
  });

  test("at its age", () => {
    expect(closeReason({ payments: 1, value: 1n, openedAt: 1_000 }, limits, 60_999)).toBeNull();
    expect(closeReason({ payments: 1, value: 1n, openedAt: 1_000 }, limits, 61_000)).toBe("age");
  });

  test("never while it is empty", () => {
    expect(closeReason({ payments: 0, value: 0n, openedAt: 0 }, limits, 10 ** 12)).toBeNull();
  });
});
