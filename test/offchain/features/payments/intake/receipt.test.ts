import { describe, expect, test } from "vitest";
import type { CompletedWork } from "#offchain/features/energy/service.ts";
import { type ReceiptFacts, receiptOf, storedReceipt } from "#offchain/features/payments/intake/receipt.ts";
import { receipt as schema } from "#offchain/features/payments/schema.ts";
import type { StoredPayment } from "#offchain/features/payments/store/receipts.ts";

const channelId = `0x${"11".repeat(32)}` as const;
const payer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const receiver = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const named = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";

const facts = (change: Partial<ReceiptFacts> = {}): ReceiptFacts => ({
  id: 9_007_199_254_740_993n,
  key: "k",
  channelId,
  payer,
  payee: receiver,
  unit: "USDC",
  amount: 1n,
  cumulative: 2n ** 100n,
  state: "accepted",
  refusal: null,
  reference: null,
  acceptedAt: 1_760_000_000_000,
  batchId: 3n,
  transactionHash: null,
  credit: null,
  ...change,
});

const work: CompletedWork = {
  ticketId: "00000000-0000-4000-8000-000000000001",
  worker: receiver,
  atp: 5_788n,
  energyMillijoules: 3_500_000n,
  co2Micrograms: 340_278n,
  waterMicrolitres: 292n,
  factor: "350000 mg/kWh, us-east, average, legacy",
};

describe("a receipt", () => {
  test("writes amounts in USDC and numbers beyond 2⁵³ without loss", () => {
    expect(receiptOf(facts(), null)).toEqual({
      paymentId: "9007199254740993",
      key: "k",
      channelId,
      payer,
      payee: receiver,
      amount: { amount: "0.000001", unit: "USDC" },
      cumulative: "1267650600228229401496703205376",
      state: "accepted",
      refusal: null,
      reference: null,
      acceptedAt: 1_760_000_000_000,
      batchId: "3",
      transactionHash: null,
      carbon: null,
      energy: null,
      credit: null,
      proof: null,
    });
  });

  test("tells of the work that was paid what it cost the grid, and in energy what it discharged", () => {
    expect(receiptOf(facts(), work)).toMatchObject({
      carbon: {
        co2Micrograms: "340278",
        energyMillijoules: "3500000",
        waterMicrolitres: "292",
        factor: "350000 mg/kWh, us-east, average, legacy",
      },
      energy: { ticketId: work.ticketId, atp: { amount: "0.005788", unit: "ATP" } },
    });
  });

  test("of work that cost nothing says nothing was emitted, not that it is not known", () => {
    const free = { ...work, atp: 0n, co2Micrograms: 0n, energyMillijoules: 0n, waterMicrolitres: 0n };
    expect(receiptOf(facts(), free)).toMatchObject({
      carbon: { co2Micrograms: "0" },
      energy: { atp: { amount: "0", unit: "ATP" } },
    });
  });

  test("has neither signature nor proof before the operator has signed", () => {
    const credited = { cumulative: 10n ** 30n, epoch: 4, office: 1 };
    const { credit, proof } = receiptOf(facts({ acceptedAt: 1_999, credit: credited }), null);
    expect(credit).toEqual({
      cumulative: `1${"0".repeat(30)}`,
      epoch: 4,
      office: 1,
      expiresAt: 1 + 21 * 86_400,
      signature: null,
    });
    expect(proof).toBeNull();
  });

  test("is what the service's schema says a receipt is", () => {
    for (const one of [
      receiptOf(facts(), null),
      receiptOf(facts({ credit: { cumulative: 0n, epoch: 0, office: 0 }, reference: "r" }), work),
    ])
      expect(schema.safeParse(one).error).toBeUndefined();
  });
});

describe("a stored payment's receipt", () => {
  const stored = (change: Partial<StoredPayment> = {}): StoredPayment => ({
    ...facts(),
    receiver,
    payee: null,
    claimed: 0n,
    batchState: "open",
    signature: new Uint8Array(64),
    ticketId: null,
    cumulative: 500n,
    ...change,
  });
  const state = (change: Partial<StoredPayment>) => storedReceipt(stored(change), null).state;

  test.each(["open", "closed", "submitted", "settled"] as const)(
    "is accepted until the chain has been shown its voucher or a later one, though its batch is %s",
    (batchState) => {
      expect(state({ batchState, claimed: 499n })).toBe("accepted");
      expect(state({ batchState, claimed: 500n })).toBe(batchState === "settled" ? "settled" : "claimed");
      expect(state({ batchState, claimed: 501n })).toBe(batchState === "settled" ? "settled" : "claimed");
    },
  );

  test.each(["submitted", "settled"] as const)(
    "is refused while its voucher is left out of its batch, which is %s, and no later one has claimed it",
    (batchState) => {
      const refusal = { reason: "BatchSettlement_ClaimExceedsBalance", at: 1_760_000_000_000 };
      expect(storedReceipt(stored({ batchState, claimed: 499n, refusal }), null)).toMatchObject({
        state: "refused",
        refusal,
      });
    },
  );

  test("is lost with its chain, whatever was claimed", () => {
    for (const claimed of [0n, 499n, 500n, 501n]) expect(state({ batchState: "lost", claimed })).toBe("lost");
  });

  test("names whom a cleared channel paid, and else the channel's receiver", () => {
    expect(storedReceipt(stored({ payee: named }), null).payee).toBe(named);
    expect(storedReceipt(stored(), null).payee).toBe(receiver);
  });

  test("is the one that was given out when it was booked, but for its state", () => {
    const credit = { cumulative: 7n, epoch: 2, office: 3 };
    const now = receiptOf(facts({ cumulative: 500n, credit }), work);
    expect(storedReceipt(stored({ credit }), work)).toEqual(now);
  });

  test("shows nothing of how the payer signed", () => {
    expect(Object.keys(storedReceipt(stored(), null))).not.toContain("signature");
  });
});
