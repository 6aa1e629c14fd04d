import { encodeFunctionData, type Hex, size, toHex } from "viem";
import { describe, expect, test } from "vitest";
import { clearingAbi } from "#contracts";
import {
  challengeWindowMs,
  creditLeaf,
  isFinal,
  linesOf,
  payeesMax,
  type RootStanding,
  rowBytes,
  stateOf,
} from "#offchain/features/clearing/rules.ts";
import { callBytesMax } from "#offchain/platform/chain/port.ts";
import { creditLeaf as leafForAgents } from "#offchain/sdk/receipt.ts";

const payee = `0x${"ab".repeat(20)}` as const;

test("a full root is posted with a full one before it in one transaction, and with a tenth more of payees", () => {
  const rows: Hex = `0x${"ff".repeat(rowBytes * payeesMax * 1.1)}`;
  const args = [payee, 1n, rows, rows] as const;
  const call = encodeFunctionData({ abi: clearingAbi, functionName: "postRoot", args });
  expect(size(call)).toBeLessThan(callBytesMax);
});

test("a payee's leaf is the one that agents check", () => {
  for (const cumulative of [0n, 1n, (1n << 96n) - 1n])
    expect(toHex(creditLeaf(payee, cumulative))).toBe(leafForAgents(payee, cumulative));
});

test("a payee's line is found whatever the letters' case, and nobody else's", () => {
  const rows = [{ payee, cumulative: 5n }];
  const lineIn = linesOf(rows);
  expect(lineIn(`0x${"AB".repeat(20)}`)).toEqual({ cumulative: 5n, proof: [] });
  expect(lineIn(`0x${"cd".repeat(20)}`)).toBeNull();
});

describe("a root on the chain", () => {
  const root = (change: Partial<RootStanding> = {}): RootStanding => ({
    state: "posted",
    postedAt: 1_000,
    paidAt: null,
    openChallenges: 0,
    ...change,
  });
  const over = 1_000 + challengeWindowMs;

  test("is final from the end of its window on, unless somebody challenges it", () => {
    expect(isFinal(root(), over - 1)).toBe(false);
    expect(isFinal(root(), over)).toBe(true);
    expect(isFinal(root({ openChallenges: 1 }), over)).toBe(false);
    expect(isFinal(root({ postedAt: null }), over)).toBe(false);
  });

  test("is pending, then final, then paid; what is not on the chain keeps its state", () => {
    expect(stateOf(root(), over - 1)).toBe("pending");
    expect(stateOf(root(), over)).toBe("final");
    expect(stateOf(root({ paidAt: over }), over)).toBe("paid");
    expect(stateOf(root({ state: "void" }), over)).toBe("void");
    expect(stateOf(root({ state: "cut", postedAt: null }), over)).toBe("cut");
  });
});
