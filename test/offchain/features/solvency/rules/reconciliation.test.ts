import { describe, expect, test } from "vitest";
import { differencesOf, heldForPayees } from "#offchain/features/solvency/rules/reconciliation.ts";

const channelId = `0x${"c".repeat(64)}` as const;

describe("a channel", () => {
  test("that the chain and the books agree on has no difference", () => {
    expect(differencesOf({ channelId, balance: 10n, claimed: 4n, account: 6n }, [10n, 4n])).toEqual([]);
  });

  test("shows each figure that differs, with both sides", () => {
    expect(differencesOf({ channelId, balance: 9n, claimed: 4n, account: 6n }, [10n, 5n])).toEqual([
      { channelId, field: "balance", chain: 10n, ledger: 9n },
      { channelId, field: "claimed", chain: 5n, ledger: 4n },
      { channelId, field: "ledger", chain: 5n, ledger: 6n },
    ]);
  });
});

describe("what Clearing holds for payees", () => {
  test("is what it was paid out of channels and has not paid on", () => {
    // received 100 = balance 60 + on its way 10 + paid 30
    expect(heldForPayees({ received: 100n, balance: 60n, claimed: 100n, settled: 90n })).toBe(60n);
  });

  test("is nothing where it paid on more than channels gave it", () => {
    expect(heldForPayees({ received: 100n, balance: 10n, claimed: 50n, settled: 50n })).toBe(0n);
  });
});
