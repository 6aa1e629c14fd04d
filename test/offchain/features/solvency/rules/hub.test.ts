import { describe, expect, test } from "vitest";
import { owedThroughHub, paidOn } from "#offchain/features/solvency/rules/hub.ts";
import { nothingOwed } from "#offchain/features/solvency/rules/proof.ts";

const [hub, alice, bob] = ["0xhub", "0xalice", "0xbob"];
/** What each was credited in all. */
const credited = (amounts: Record<string, bigint>) =>
  new Map(Object.entries(amounts).map(([payee, amount]) => [payee, { credited: amount }]));

describe("what a hub paid on", () => {
  test("is what it received and neither holds nor is waiting for", () => {
    expect(paidOn({ received: 100n, balance: 30n, onItsWay: 20n })).toBe(50n);
    expect(paidOn({ received: 0n, balance: 0n, onItsWay: 0n })).toBe(0n);
  });
});

describe("what channels owe to a hub", () => {
  test("is owed to the payees that it credited, less what they were paid", () => {
    const owed = owedThroughHub(
      new Map([[hub, { ...nothingOwed, promised: 40n, claimed: 30n }]]),
      credited({ [alice]: 60n, [bob]: 30n }),
      { promised: 0n, paid: new Map([[alice, 20n]]) },
      hub,
    );
    expect(owed.get(alice)).toEqual({ ...nothingOwed, credits: 40n });
    expect(owed.get(bob)).toEqual({ ...nothingOwed, credits: 30n });
    expect(owed.has(hub)).toBe(false);
  });

  test("stays its own as far as it is more than the credits, by books or on the chain", () => {
    const before = new Map([[hub, { ...nothingOwed, promised: 10n, claimed: 5n, balance: 7n }]]);
    const byBooks = owedThroughHub(
      before,
      credited({ [alice]: 12n }),
      { promised: 0n, paid: new Map() },
      hub,
    );
    expect(byBooks.get(hub)).toEqual({ ...nothingOwed, credits: 3n, balance: 7n });
    const onChain = owedThroughHub(before, new Map(), { promised: 50n, paid: new Map() }, hub);
    expect(onChain.get(hub)).toEqual({ ...nothingOwed, credits: 50n, balance: 7n });
  });

  test("adds to what a payee is owed besides, and leaves out whoever was paid all", () => {
    const before = new Map([[alice, { ...nothingOwed, balance: 4n }]]);
    const all = credited({ [alice]: 9n, [bob]: 5n });
    const owed = owedThroughHub(before, all, { promised: 0n, paid: new Map([[bob, 5n]]) }, hub);
    expect(owed).toEqual(new Map([[alice, { ...nothingOwed, balance: 4n, credits: 9n }]]));
    expect(before.get(alice)).toEqual({ ...nothingOwed, balance: 4n });
  });
});
