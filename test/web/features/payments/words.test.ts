import { expect, test } from "vitest";
import {
  batchBadge,
  batchWords,
  clearingWords,
  closedWords,
  epochBadges,
  gasPerPayment,
  paymentsWords,
  receiptWords,
  stages,
  weighedWords,
  whyWords,
} from "@/features/payments/words.ts";
import { receiptBadge } from "@/ui/table/PaymentTable.tsx";

test("gas per payment is known once mined, and not for an empty batch", () => {
  expect(gasPerPayment({ gasUsed: "148211", payments: 100 })).toBe("1,482.1");
  expect(gasPerPayment({ gasUsed: null, payments: 100 })).toBeNull();
  expect(gasPerPayment({ gasUsed: "21000", payments: 0 })).toBeNull();
});
test("why a batch closed", () => {
  expect(closedWords({ closedBy: "age" })).toBe("closed because its time was up");
  expect(closedWords({ closedBy: null })).toBe("still filling");
});
const decision = { at: 1, until: null, gas: null, energy: null, cost: null };
test("why a batch is where it is: its last decision, else what closed it", () => {
  const waits = { ...decision, action: "wait", reason: "gas" } as const;
  const settles = { ...decision, action: "settle", reason: "size" } as const;
  expect(whyWords({ decisions: [waits], closedBy: "size" })).toBe("waits: gas is dearer than its median");
  expect(whyWords({ decisions: [waits, settles], closedBy: "size" })).toBe("settled: it was full");
  expect(whyWords({ decisions: [], closedBy: "value" })).toBe("its value was reached");
  expect(whyWords({ decisions: [], closedBy: null })).toBe("filling");
});
test("what a decision was made on", () => {
  expect(
    weighedWords({
      gas: { now: "1200000000", median: "1000000000" },
      energy: { now: "362874", median: "300000" },
      cost: { amount: "0.2", unit: "USDC" },
    }),
  ).toBe("gas 1.2 gwei, median 1; grid 362.874 g CO₂e per kWh, median 300; settling costs 0.2 USDC");
  expect(weighedWords(decision)).toBeNull();
});
test("a payment's stages are reached one after the other", () => {
  const reached = (state: Parameters<typeof stages>[0]["state"]) =>
    stages({ state, credit: null, refusal: null }, false).filter(({ isReached }) => isReached).length;
  expect([reached("accepted"), reached("claimed"), reached("settled")]).toEqual([1, 2, 3]);
});
test("nobody is told to count on a payment that the chain did not take, and everybody why", () => {
  const refusal = { reason: "BatchSettlement_ClaimExceedsBalance", at: 1 };
  for (const [state, word] of [
    ["refused", "Refused"],
    ["lost", "Lost"],
  ] as const) {
    const told = stages({ state, credit: null, refusal }, false);
    expect(told.map(({ name }) => name)).toEqual(["Accepted", word]);
    expect(told.map(({ words }) => words).join(" ")).toMatch(
      /not taken: BatchSettlement_ClaimExceedsBalance/,
    );
    expect(told.map(({ words }) => words).join(" ")).not.toContain("count on it");
    expect(receiptBadge({ state, credit: null }, false)).toEqual({ word, tone: "bad" });
  }
  expect(stages({ state: "lost", credit: null, refusal: null }, false)[1]?.words).toBe(
    "Its voucher was not taken. The payee is not paid",
  );
  expect(receiptWords.refused.text(refusal.reason)).toContain(refusal.reason);
  expect(stages({ state: "accepted", credit: null, refusal: null }, false)[0]?.words).toContain(
    "the payee can count on it",
  );
});
/** A credit of a cleared payment, with the end of its receipt in seconds. */
const credit = { cumulative: "7", epoch: 4, office: 0, expiresAt: 1_801_814_400, signature: null };
test("by a cleared channel nobody is said to be paid: Clearing owes it, and credits it in an epoch", () => {
  const [, , third, fourth] = stages({ state: "settled", credit, refusal: null }, false);
  expect(third).toMatchObject({ name: "Credited", isReached: true });
  expect(third?.words).toContain("owes it to the payee");
  expect(fourth).toMatchObject({ name: "Paid out", isReached: false });
  expect(fourth?.words).toContain("In epoch 4 at the latest");
  expect(stages({ state: "claimed", credit, refusal: null }, false)[2]?.isReached).toBe(false);
  expect(receiptBadge({ state: "settled", credit }, false).word).toBe("Credited");
  expect(receiptBadge({ state: "claimed", credit }, false).word).toBe("Claimed");
  expect(receiptBadge({ state: "settled", credit: null }, false).word).toBe("Settled");
});
test("only an epoch that was paid out looks done, and one that was voided looks bad", () => {
  const toned = (tone: string) =>
    Object.entries(epochBadges).flatMap(([state, badge]) => (badge.tone === tone ? state : []));
  expect(Object.keys(epochBadges)).toEqual(["cut", "filling", "pending", "settled", "paid", "void"]);
  expect(toned("good")).toEqual(["paid"]);
  expect(toned("bad")).toEqual(["void"]);
  expect(toned("warn")).toEqual(["pending"]);
});
test("an epoch and an office are numbers that people read", () => {
  expect(receiptWords.creditIn("1500", 1_200)).toBe("1,500 base units, in epoch 1,200 at the latest");
  expect(clearingWords.office(2)).toBe("office 2");
});
test("of a chain that is gone nothing is settled, owed or counted on", () => {
  const gone = "On a chain that is gone; written off";
  for (const state of ["accepted", "claimed", "settled", "refused", "lost"] as const) {
    expect(receiptBadge({ state, credit }, true).word).toBe(gone);
    const told = stages({ state, credit, refusal: null }, true);
    expect(told.map(({ name }) => name)).toEqual(["Accepted", "Written off"]);
    expect(told.map(({ words }) => words).join(" ")).not.toMatch(/owes|count on it/);
  }
  expect(batchBadge({ state: "settled" }, true).word).toBe(gone);
  expect(batchBadge({ state: "settled" }, false).word).toBe("Settled");
});
test("one and many are told apart", () => {
  expect(paymentsWords.parties(1, 1_200)).toBe("1 payer, 1,200 payees");
  expect([batchWords.refused(1), batchWords.refused(2)]).toEqual([
    "1 voucher could not be claimed",
    "2 vouchers could not be claimed",
  ]);
  expect(batchWords.rest(1)).toContain("without it;");
  expect(batchWords.rest(2)).toContain("without them;");
});
