import { describe, expect, it } from "vitest";
import { changed, type Lot } from "#offchain/features/energy/rules/pool.ts";
import { giveBack, spoilAll } from "#offchain/features/energy/rules/spoilage.ts";
import type { Held } from "#offchain/features/energy/rules/ticket.ts";
import { lot, netOf, ticket, week } from "../given.ts";

const held = (holdId: string, ...draws: [string, bigint][]): Held => ({
  holdId,
  draws: draws.map(([lotId, amount]) => ({ lotId, amount })),
});

const lots = (...of: Lot[]) => new Map([["s", of]]);

describe("tickets that give back", () => {
  it("return what they hold to its lot until the moment of its expiry, and spoil it a millisecond later", () => {
    const before = lots(lot("1", { reserved: 7n }));
    const holds = new Map([["t", held("h", ["1", 7n])]]);
    const fresh = giveBack([ticket("t")], holds, before, week);
    expect(fresh.lots.get("s")).toMatchObject([{ available: 7n, reserved: 0n, expired: 0n }]);
    expect(fresh.operations.map(({ kind }) => kind)).toEqual(["void"]);
    const late = giveBack([ticket("t")], holds, before, week + 1);
    expect(late.lots.get("s")).toMatchObject([{ available: 0n, reserved: 0n, expired: 7n }]);
    expect(late.operations).toMatchObject([
      { kind: "void", transferId: "h" },
      { kind: "transfer", debit: "society:s", credit: "expired:s", unit: "ATP", amount: 7n },
    ]);
  });

  it("spoil only what came from lots that have spoiled", () => {
    const before = lots(lot("old", { reserved: 3n, expiresAt: 10 }), lot("new", { reserved: 4n }));
    const given = giveBack([ticket("t")], new Map([["t", held("h", ["old", 3n], ["new", 4n])]]), before, 11);
    expect(given.lots.get("s")).toMatchObject([
      { id: "old", available: 0n, expired: 3n },
      { id: "new", available: 4n, expired: 0n },
    ]);
    expect(given.operations[1]).toMatchObject({ amount: 3n });
    expect(netOf(given.changes)).toBe(0n);
  });

  it("are counted one after the other in the lots of their societies, and leave what was given untouched", () => {
    const before = new Map([
      ["s", [lot("1", { reserved: 10n })]],
      ["r", [lot("2", { reserved: 5n })]],
    ]);
    const holds = new Map([
      ["a", held("ha", ["1", 6n])],
      ["b", held("hb", ["1", 4n])],
      ["c", held("hc", ["2", 5n])],
    ]);
    const tickets = [ticket("a"), ticket("b"), ticket("c", { society: "r" })];
    const given = giveBack(tickets, holds, before, 0);
    expect([...given.lots.values()].flat()).toMatchObject([
      { id: "1", available: 10n, reserved: 0n },
      { id: "2", available: 5n, reserved: 0n },
    ]);
    expect(given.operations).toMatchObject([
      { transferId: "ha" },
      { transferId: "hb" },
      { transferId: "hc" },
    ]);
    expect(before.get("s")).toEqual([lot("1", { reserved: 10n })]);
  });

  it("change each lot just as the changes say that the tables are given", () => {
    const before = [lot("1", { reserved: 10n, available: 1n, expiresAt: 5 })];
    const given = giveBack([ticket("t")], new Map([["t", held("h", ["1", 10n])]]), lots(...before), 6);
    expect(given.lots.get("s")).toEqual(changed(before, given.changes));
  });

  it("of which there are none change nothing", () => {
    expect(giveBack([], new Map(), lots(lot("1")), 0)).toMatchObject({ changes: [], operations: [] });
  });
});

describe("what is past its expiry", () => {
  it("moves to its own society's expired account, lot by lot, and reserved ATP stays", () => {
    const before = new Map([
      ["s", [lot("1", { available: 3n, reserved: 2n, expiresAt: 10 }), lot("2", { available: 9n })]],
      ["r", [lot("3", { available: 4n, expiresAt: 10 })]],
    ]);
    const { changes, operations } = spoilAll(before, 11);
    expect(changes).toEqual([
      { lotId: "1", available: -3n, reserved: 0n, consumed: 0n, expired: 3n },
      { lotId: "3", available: -4n, reserved: 0n, consumed: 0n, expired: 4n },
    ]);
    expect(operations).toMatchObject([
      { key: "energy:lot:1:spoil", debit: "society:s", credit: "expired:s", amount: 3n },
      { key: "energy:lot:3:spoil", debit: "society:r", credit: "expired:r", amount: 4n },
    ]);
  });

  it("is nothing at the very moment, nor in a lot that is empty", () => {
    const before = lots(lot("1", { available: 3n, expiresAt: 10 }), lot("2", { expiresAt: 1 }));
    expect(spoilAll(before, 10)).toEqual({ changes: [], operations: [] });
  });

  it("does not spoil twice", () => {
    const before = [lot("1", { available: 3n, expiresAt: 10 })];
    const after = changed(before, spoilAll(lots(...before), 11).changes);
    expect(spoilAll(lots(...after), 12)).toEqual({ changes: [], operations: [] });
  });
});
