import { describe, expect, test } from "vitest";
import { gatherObligations, totals } from "#offchain/features/solvency/rules/obligations.ts";
import { nothingOwed } from "#offchain/features/solvency/rules/proof.ts";

const payer = `0x${"a".repeat(40)}` as const;
const receiver = `0x${"b".repeat(40)}` as const;
const channelId = `0x${"c".repeat(64)}` as const;
const account = (name: string, balance: bigint, pending = 0n) =>
  ({ name, unit: "USDC", balance, pending }) as const;
const parties = new Map([["channel:1", { channelId, payer, receiver, claimed: 100n }]]);

const owedBy = (balance: bigint, pending: bigint, charged?: bigint) =>
  gatherObligations(
    ["USDC"],
    [account("channel:1", balance, pending)],
    parties,
    new Map(charged === undefined ? [] : [[channelId, charged]]),
  ).get("USDC");

describe("a channel's account", () => {
  test("is owed to the receiver as far as vouchers promise it, and the rest to the payer", () => {
    const owed = owedBy(50n, 20n);
    expect(owed?.get(receiver)).toEqual({ ...nothingOwed, promised: 20n });
    expect(owed?.get(payer)).toEqual({ ...nothingOwed, deposits: 30n });
  });

  test("counts the paywall's vouchers beyond what is claimed, where they promise more", () => {
    expect(owedBy(50n, 20n, 135n)?.get(receiver)?.promised).toBe(35n);
    expect(owedBy(50n, 20n, 110n)?.get(receiver)?.promised).toBe(20n);
  });

  test("is never owed beyond what is in it", () => {
    const owed = owedBy(50n, 20n, 900n);
    expect(owed?.get(receiver)?.promised).toBe(50n);
    expect(owed?.has(payer)).toBe(false);
  });
});

test("all that is owed to an address is one obligation; the house's accounts keep their names", () => {
  const owed = gatherObligations(
    ["USDC", "AVT"],
    [account(`agent:${payer}`, 5n), account(`payee:3:${payer}`, 7n), account("treasury:system", 2n)],
    new Map(),
    new Map(),
  );
  expect(owed.get("AVT")).toEqual(new Map());
  const usdc = owed.get("USDC") ?? new Map();
  expect(usdc.get(payer)).toEqual({ ...nothingOwed, balance: 5n, claimed: 7n });
  expect(usdc.get("treasury:system")).toEqual({ ...nothingOwed, balance: 2n });
  expect(totals(usdc.values())).toEqual({ ...nothingOwed, balance: 7n, claimed: 7n });
});
