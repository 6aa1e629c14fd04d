import { size } from "viem";
import { describe, expect, test } from "vitest";
import { settlementCall } from "#offchain/features/payments/contract.ts";
import { partLimits } from "#offchain/features/payments/jobs/settle.ts";
import { nextPart, type PartLimits } from "#offchain/features/payments/rules/batch.ts";

/** What a transaction may have: 2²⁴ gas (EIP-7825), and go-ethereum's `txMaxSize`. */
const transaction = { gas: 2 ** 24, bytes: 131_072 };

const address = (at: number) => `0x${at.toString(16).padStart(40, "0")}` as const;

/** Vouchers of so many channels that pay so many payees by turns. */
const vouchersOf = (channels: number, payees: number) =>
  Array.from({ length: channels }, (_, at) => ({
    channelId: `0x${at.toString(16).padStart(64, "f")}` as const,
    receiver: address(at % payees),
    receiverAuthorizer: address(1),
    token: address(2),
    maxClaimableAmount: 2n ** 96n - 1n,
    signature: `0x${"ff".repeat(64)}` as const,
  }));

const contracts = { settlement: address(2 ** 20), clearing: address(2 ** 21) };

/** Until nothing is left. */
function partsOf(vouchers: ReturnType<typeof vouchersOf>, limits: PartLimits = partLimits) {
  const parts = [];
  for (let left = vouchers; left.length > 0; ) {
    const part = nextPart(left, 0, limits);
    parts.push(part);
    left = left.filter((voucher) => !part.includes(voucher));
  }
  return parts;
}

describe("the parts of a settlement", () => {
  test.each([
    [1_500, 1],
    [1_500, 1_500],
    [1_500, 40],
    [10_000, 3],
  ])(
    "of %i channels for %i payees are all that there is, and each fits in a transaction",
    (channels, payees) => {
      const vouchers = vouchersOf(channels, payees);
      const parts = partsOf(vouchers);
      expect(parts.flat().toSorted((one, other) => (one.channelId < other.channelId ? -1 : 1))).toEqual(
        vouchers.toSorted((one, other) => (one.channelId < other.channelId ? -1 : 1)),
      );
      for (const part of parts) {
        expect(size(settlementCall(part, contracts).data)).toBeLessThan(transaction.bytes - 256);
        // As docs/benchmarks.md measured it, with what the sender offers over the estimate.
        const distinct = new Set(part.map(({ receiver }) => receiver)).size;
        expect((30_000 + 10_400 * part.length + 27_000 * distinct) * 1.25).toBeLessThan(transaction.gas);
      }
      expect(parts.length).toBeLessThanOrEqual(Math.ceil((channels * 10_400 + payees * 27_000) / 11_000_000));
    },
  );

  test.each([
    [1, 1],
    [2, 1],
    [7, 7],
    [500, 20],
    [1_207, 1],
  ])(
    "are counted with the bytes of %i channels for %i payees or more, and hardly more",
    (channels, payees) => {
      const vouchers = vouchersOf(channels, payees);
      const bytes = size(settlementCall(vouchers, contracts).data);
      const gas = 10n ** 12n;
      expect(nextPart(vouchers, 0, { bytes: bytes + 300 + payees * 100, gas })).toHaveLength(channels);
      if (channels > 1)
        expect(nextPart(vouchers, 0, { bytes: bytes - 1, gas }).length).toBeLessThan(channels);
    },
  );

  test("are of one authorizer each: Clearing claims its own, in turn after a failure", () => {
    const { clearing } = contracts;
    const own = vouchersOf(2, 2);
    const cleared = vouchersOf(2, 1).map((voucher) => ({
      ...voucher,
      receiver: clearing,
      receiverAuthorizer: clearing,
    }));
    const parts = partsOf([...own, ...cleared]);
    expect(parts).toEqual([own, cleared]);
    expect(nextPart([...own, ...cleared], 1, partLimits)).toEqual(cleared);
    expect(parts.map((part) => settlementCall(part, contracts).to)).toEqual(Object.values(contracts));
    expect(() => settlementCall([...own, ...cleared], contracts), "a batch of both").toThrow(
      "a batch claims at more than one contract",
    );
  });

  test("leave a payee's vouchers together", () => {
    const [part] = partsOf(vouchersOf(1_000, 500));
    expect(new Set(part?.map(({ receiver }) => receiver)).size).toBeCloseTo((part?.length ?? 0) / 2, 0);
  });

  test("are of one voucher at least", () => {
    expect(nextPart(vouchersOf(2, 2), 0, { bytes: 1, gas: 1n })).toHaveLength(1);
    expect(nextPart([], 3, partLimits)).toEqual([]);
  });

  test.each([
    [0, 100],
    [1, 100],
    [2, 50],
    [3, 25],
    [4, 13],
    [9, 1],
    [2_000, 1],
  ])("after %i failures in a row have %i of 100 vouchers", (failures, count) => {
    expect(nextPart(vouchersOf(100, 100), failures, partLimits)).toHaveLength(count);
  });

  test("have each voucher without any other in time, whichever makes the whole fail", () => {
    const vouchers = vouchersOf(20, 20);
    const tries = Array.from({ length: 40 }, (_, failures) => nextPart(vouchers, failures, partLimits));
    for (const bad of vouchers)
      for (const good of vouchers)
        if (good !== bad) expect(tries.some((part) => part.includes(good) && !part.includes(bad))).toBe(true);
  });
});
