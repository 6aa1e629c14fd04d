import { encodeFunctionData, type Hex, size } from "viem";
import { describe, expect, test } from "vitest";
import { clearingAbi } from "#contracts";
import {
  challengeWindowMs,
  type EpochStanding,
  isOpen,
  isSettled,
  packRows,
  patientTries,
  payeesAtOnce,
  retryAfterMs,
  rowsAtOnce,
  stateOf,
} from "#offchain/features/clearing/rules.ts";
import { callBytesMax } from "#offchain/platform/chain/port.ts";

const payee = `0x${"ab".repeat(20)}` as const;
/** A transaction's limit (EIP-7825). */
const gasMax = 2 ** 24;

test("rows are packed as the contract reads them, and never cut short", () => {
  const most = (1n << 96n) - 1n;
  expect(
    packRows([
      { payee, total: most },
      { payee, total: 5n },
    ]),
  ).toBe(`0x${"ab".repeat(20)}${"ff".repeat(12)}${"ab".repeat(20)}${"05".padStart(24, "0")}`);
  expect(packRows([])).toBe("0x");
  expect(() => packRows([{ payee, total: most + 1n }])).toThrow(RangeError);
});

test("the calls of an epoch and of its payouts fit into a transaction, by their bytes and by their gas", () => {
  const rows: Hex = packRows(Array.from({ length: rowsAtOnce }, () => ({ payee, total: 1n })));
  const fill = encodeFunctionData({
    abi: clearingAbi,
    functionName: "credit",
    args: [payee, 1n, 0n, rows, true],
  });
  const payout = encodeFunctionData({
    abi: clearingAbi,
    functionName: "payOutAll",
    args: [payee, Array.from({ length: payeesAtOnce }, () => payee)],
  });
  for (const call of [fill, payout]) expect(size(call)).toBeLessThan(callBytesMax);
  expect(rowsAtOnce * 23_000).toBeLessThan(gasMax * 0.75);
  expect(payeesAtOnce * 80_000).toBeLessThan(gasMax * 0.75);
});

test("a step that fails waits longer each time, and a minute at the most", () => {
  const pauses = Array.from({ length: 20 }, (_, failures) => retryAfterMs(failures));
  expect(pauses.slice(0, patientTries)).toEqual([500, 1_000, 2_000, 4_000]);
  expect(pauses).toEqual(pauses.toSorted((one, other) => one - other));
  expect(pauses.at(-1)).toBe(60_000);
});

describe("an epoch", () => {
  const epoch = (change: Partial<EpochStanding> = {}): EpochStanding => ({
    attempts: 1,
    filled: 5,
    sealedAt: 1_000,
    isVoid: false,
    paidAt: null,
    ...change,
  });
  const over = 1_000 + challengeWindowMs;

  test("is settled from the end of its window on, unless it is void", () => {
    expect(isSettled(epoch(), over - 1)).toBe(false);
    expect(isSettled(epoch(), over)).toBe(true);
    expect(isSettled(epoch({ isVoid: true }), over)).toBe(false);
    expect(isSettled(epoch({ sealedAt: null }), over)).toBe(false);
  });

  test("is open until it is sealed or void", () => {
    expect(isOpen(epoch({ sealedAt: null }))).toBe(true);
    expect(isOpen(epoch())).toBe(false);
    expect(isOpen(epoch({ sealedAt: null, isVoid: true }))).toBe(false);
  });

  test("is cut, then filling, pending, settled and paid; a void one is void whatever else became of it", () => {
    const cut = { attempts: 0, filled: 0, sealedAt: null };
    expect(stateOf(epoch(cut), over)).toBe("cut");
    expect(stateOf(epoch({ ...cut, attempts: 1 }), over), "a call is on its way").toBe("filling");
    expect(stateOf(epoch({ ...cut, filled: 1 }), over), "by another database").toBe("filling");
    expect(stateOf(epoch(), over - 1)).toBe("pending");
    expect(stateOf(epoch(), over)).toBe("settled");
    expect(stateOf(epoch({ paidAt: over }), over)).toBe("paid");
    expect(stateOf(epoch({ isVoid: true, paidAt: over }), over)).toBe("void");
  });
});
