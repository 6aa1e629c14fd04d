import { randomBytes } from "node:crypto";
import fc from "fast-check";
import type { Hex } from "viem";
import { describe, expect, test } from "vitest";
import type { BookedPayment } from "#offchain/features/payments/intake/booking.ts";
import type { VerifiedPayment } from "#offchain/features/payments/rules/group.ts";
import { type Books, deposit, eachWithBooks } from "../../../support/books.ts";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const payment = (
  channelId: Hex,
  cumulative: bigint,
  change: Partial<VerifiedPayment> = {},
): VerifiedPayment => ({
  channelId,
  key: `k${cumulative}`,
  maxClaimableAmount: cumulative,
  signature: new Uint8Array(64).fill(Number(cumulative % 256n)),
  amount: undefined,
  payee: undefined,
  ticketId: undefined,
  reference: undefined,
  submitter: null,
  ...change,
});

const said = (outcomes: readonly BookedPayment[]) =>
  outcomes.map((one) => (one.ok ? `${one.amount}${one.replayed ? " again" : ""}` : one.error.code));

const count = async () => {
  const [row] = await books.sql<{ count: bigint; sum: bigint | null }[]>`
    SELECT count(*), sum(p.amount)::bigint AS sum FROM payment p JOIN channel c ON c.id = p.channel
    WHERE c.run_id = ${books.runId}`;
  return [Number(row?.count), BigInt(row?.sum ?? 0)];
};

describe("a group of payments", () => {
  test("is booked in its order, each accepted or refused by itself, and reserved in the ledger", async () => {
    const id = await books.openChannel();
    const outcomes = await books.book([
      payment(id, 100n),
      payment(id, 90n),
      payment(id, deposit + 1n),
      payment(id, 300n, { amount: 201n }),
      payment(id, 300n, { amount: 200n }),
      payment(`0x${"99".repeat(32)}`, 1n),
      payment(id, deposit),
    ]);
    expect(said(outcomes)).toEqual([
      "100",
      "VOUCHER_STALE",
      "VOUCHER_OVER_DEPOSIT",
      "AMOUNT_INVALID",
      "200",
      "CHANNEL_UNKNOWN",
      `${deposit - 300n}`,
    ]);
    expect(await books.account(id)).toEqual([deposit, deposit]);
    expect(await count()).toEqual([3, deposit]);
  });

  test("gives receipts of consecutive payments, in batches that are filled one after the other", async () => {
    const id = await books.openChannel();
    const outcomes = await books.book([1n, 2n, 3n, 4n].map((cumulative) => payment(id, cumulative)));
    const receipts = outcomes.map((one) => (one.ok ? one.receipt : null));
    expect(receipts.map((one) => one?.cumulative)).toEqual(["1", "2", "3", "4"]);
    const ids = receipts.map((one) => BigInt(one?.paymentId ?? 0));
    expect(ids).toEqual(ids.toSorted((one, other) => Number(one - other)));
    // Three fill a batch here.
    const [first, second, third, fourth] = receipts.map((one) => one?.batchId);
    expect([second, third]).toEqual([first, first]);
    expect(fourth).not.toBe(first);
    for (const one of receipts)
      expect(one).toMatchObject({
        state: "accepted",
        acceptedAt: books.now,
        refusal: null,
        transactionHash: null,
        proof: null,
      });
  });

  test("in which everything is refused leaves no trace", async () => {
    const id = await books.openChannel();
    await books.book([payment(id, deposit + 1n), payment(id, 0n)]);
    expect([await count(), await books.account(id)]).toEqual([
      [0, 0n],
      [deposit, 0n],
    ]);
  });

  test("reserves just what it accepted, whatever vouchers come in whatever groups", async () => {
    const cumulative = fc.bigInt(0n, deposit + 10n);
    const groups = fc.array(fc.array(cumulative, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(groups, async (some) => {
        const id = await books.openChannel();
        const answers: string[] = [];
        for (const group of some) {
          const payments = group.map((each) => payment(id, each, { key: randomBytes(8).toString("hex") }));
          answers.push(...said(await books.book(payments)));
        }
        // The rule, by itself: a voucher counts if it is above all before it and within the deposit.
        let expected = 0n;
        const wanted = some.flat().map((each) => {
          if (each <= expected || each > deposit) return "refused";
          const added = each - expected;
          expected = each;
          return `${added}`;
        });
        expect(answers.map((one) => (/^\d+$/.test(one) ? one : "refused"))).toEqual(wanted);
        expect(await books.account(id)).toEqual([deposit, expected]);
      }),
      { numRuns: 15 },
    );
  });
});

describe("a payment that is sent again", () => {
  test("is answered with its first receipt and booked once, in the same group or a later one", async () => {
    const id = await books.openChannel();
    const [first, again] = await books.book([payment(id, 100n), payment(id, 100n)]);
    expect(said([first, again] as BookedPayment[])).toEqual(["100", "100 again"]);
    const [later] = await books.book([payment(id, 100n)]);
    expect(later).toEqual(again);
    expect(first?.ok && later?.ok && later.receipt).toEqual(first?.ok && first.receipt);
    expect([await count(), await books.account(id)]).toEqual([
      [1, 100n],
      [deposit, 100n],
    ]);
  });

  test("under its key with another signature, or by another key with its voucher, pays nothing", async () => {
    const id = await books.openChannel();
    await books.book([payment(id, 100n)]);
    const outcomes = await books.book([
      payment(id, 100n, { signature: new Uint8Array(64).fill(1) }),
      payment(id, 100n, { key: "other" }),
      payment(id, 100n, { reference: "other" }),
    ]);
    expect(said(outcomes)).toEqual(["IDEMPOTENCY_CONFLICT", "VOUCHER_REPLAYED", "IDEMPOTENCY_CONFLICT"]);
    expect(await count()).toEqual([1, 100n]);
  });

  test("under a key that an older voucher took fails as a whole for new money, to be looked for again", async () => {
    const id = await books.openChannel();
    await books.book([payment(id, 100n)]);
    // The intake catches just this and books the group anew with every key looked for.
    await expect(books.book([payment(id, 200n, { key: "k100" })])).rejects.toMatchObject({ code: "23505" });
    expect([await count(), await books.account(id)]).toEqual([
      [1, 100n],
      [deposit, 100n],
    ]);
  });

  test("on another channel is another payment", async () => {
    const [one, other] = [await books.openChannel(), await books.openChannel()];
    expect(said(await books.book([payment(one, 100n), payment(other, 100n)]))).toEqual(["100", "100"]);
  });
});

test("groups at once on one channel never promise more than its deposit", async () => {
  const id = await books.openChannel();
  const at = (share: bigint) => payment(id, (deposit * share) / 4n, { key: `${share}` });
  const outcomes = (await Promise.all([1n, 2n, 3n, 4n, 5n].map((share) => books.book([at(share)])))).flat();
  const taken = outcomes.reduce((sum, one) => sum + (one.ok ? one.amount : 0n), 0n);
  expect(taken).toBeLessThanOrEqual(deposit);
  expect(await books.account(id)).toEqual([deposit, taken]);
  expect((await count())[1]).toBe(taken);
});
