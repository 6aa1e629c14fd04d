import { describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { storedReceipt } from "#offchain/features/payments/intake/receipt.ts";
import type { SettleOptions } from "#offchain/features/payments/jobs/settle.ts";
import { forceBatches } from "#offchain/features/payments/store/batches.ts";
import { listPaymentRows, paymentById } from "#offchain/features/payments/store/receipts.ts";
import { type Books, bookedChainId, eachWithBooks } from "../../../support/books.ts";
import { senderOf, settlePass } from "./settling.ts";

type Hex = `0x${string}`;
let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

async function receiptOf(paymentId: bigint) {
  const payment = await paymentById(books.sql, bookedChainId, paymentId);
  return payment && storedReceipt(payment, null);
}

const pass = (change: Partial<SettleOptions> = {}) =>
  settlePass(books, { gas: null, energy: null, nativePrice: null }, change);

describe("a voucher that the contract does not take", () => {
  /** Refuses a channel's claims while it is in the set; else the transaction would succeed. */
  function sender(refused: ReadonlySet<Hex>): SettleOptions["sender"] {
    const simulate = async ({ data }: { data: Hex }) => {
      for (const channelId of refused)
        if (data.includes(channelId.slice(2)))
          throw new BursarError("TRANSACTION_REVERTED", "reverted", {
            facts: { contract: "BatchSettlement", error: "BatchSettlement_ClaimExceedsBalance" },
          });
    };
    return senderOf(books, simulate);
  }

  /** A batch of two channels whose first transaction failed. */
  async function failedOnce() {
    const [bad, good] = [await books.openChannel(), await books.openChannel()];
    const { batchId, paymentId } = await books.pay(bad, 400n);
    await books.pay(good, 700n);
    await forceBatches(books.sql, books.runId, books.now);
    await pass();
    await books.sql`UPDATE chain_transaction SET state = 'failed'`;
    return { bad, good, batchId, paymentId };
  }

  test("is left out and named, and the rest of its batch settles", async () => {
    const { bad, good, batchId, paymentId } = await failedOnce();
    expect(await receiptOf(paymentId)).toMatchObject({ state: "accepted", refusal: null });
    await pass({ sender: sender(new Set([bad])) });
    expect(await books.shown(batchId)).toMatchObject({
      state: "submitted",
      refused: [
        {
          channelId: bad,
          amount: { amount: "0.0004", unit: "USDC" },
          reason: "BatchSettlement_ClaimExceedsBalance",
          at: books.now,
        },
      ],
    });
    const refusal = { reason: "BatchSettlement_ClaimExceedsBalance", at: books.now };
    expect(await receiptOf(paymentId)).toMatchObject({ state: "refused", refusal });
    await books.claim(good, 700n, books.event(await books.signed(batchId)));
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
    expect(await receiptOf(paymentId)).toMatchObject({ state: "refused", refusal });
    const listed = await listPaymentRows(books.sql, bookedChainId, { batchId, limit: 10 });
    expect(listed.map((payment) => storedReceipt(payment, null).state)).toEqual(["settled", "refused"]);
  });

  test("is tried again, and claimed once the contract takes it", async () => {
    const { bad, good, batchId, paymentId } = await failedOnce();
    const refused = new Set([bad]);
    await pass({ sender: sender(refused) });
    await books.claim(good, 700n, books.event(await books.signed(batchId)));
    refused.clear();
    await pass({ sender: sender(refused) });
    expect(await books.shown(batchId), "not at once").toMatchObject({ state: "settled" });
    books.now += 30_000;
    await pass({ sender: sender(refused) });
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", refused: [] });
    const hash = await books.signed(batchId);
    await books.claim(bad, 400n, books.event(hash));
    expect(await books.shown(batchId)).toMatchObject({ state: "settled", transactionHash: hash });
    expect(await receiptOf(paymentId)).toMatchObject({
      state: "settled",
      refusal: null,
      transactionHash: hash,
    });
  });

  test("is left alone while the rest of its batch is on its way, and claimed after it", async () => {
    const { bad, good, batchId } = await failedOnce();
    const refused = new Set([bad]);
    await pass({ sender: sender(refused) });
    const hash = await books.signed(batchId);
    refused.clear();
    books.now += 30_000;
    await pass({ sender: sender(refused) });
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", refused: [{ channelId: bad }] });
    await books.claim(good, 700n, books.event(hash));
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
    await pass({ sender: sender(refused) });
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", refused: [] });
    await books.claim(bad, 400n, books.event(await books.signed(batchId)));
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
  });

  test("is tried less and less often while it is refused", async () => {
    const { bad, good, batchId } = await failedOnce();
    const [refused, seen] = [sender(new Set([bad])), { times: 0 }];
    const counting = {
      ...refused,
      simulate: (call: Parameters<typeof refused.simulate>[0]) => {
        seen.times += 1;
        return refused.simulate(call);
      },
    };
    await pass({ sender: refused });
    await books.claim(good, 700n, books.event(await books.signed(batchId)));
    for (let minutes = 0; minutes < 10; minutes += 0.5) {
      books.now += 30_000;
      await pass({ sender: counting });
    }
    // After 30 s, 1, 2 and 4 minutes, each time with its payout and without.
    expect(seen.times).toBe(4 * 2);
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
  });

  test("is tried again though a clock that was wrong put it off for a year", async () => {
    const { bad, good, batchId } = await failedOnce();
    const refused = new Set([bad]);
    await pass({ sender: sender(refused) });
    await books.claim(good, 700n, books.event(await books.signed(batchId)));
    await books.sql`UPDATE batch_refusal SET next_try_at = ${books.now + 365 * 86_400_000}`;
    refused.clear();
    await pass({ sender: sender(refused) });
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", refused: [] });
  });

  test("alone in its batch loses it, until the contract takes it", async () => {
    const channel = await books.openChannel();
    const { batchId } = await books.pay(channel, 2_000n);
    await forceBatches(books.sql, books.runId, books.now);
    await pass();
    await books.sql`UPDATE chain_transaction SET state = 'failed'`;
    await pass({ sender: sender(new Set([channel])) });
    expect(await books.shown(batchId)).toMatchObject({ state: "lost", refused: [{ channelId: channel }] });
    books.now += 30_000;
    await pass({ sender: sender(new Set()) });
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", refused: [] });
  });
});

describe("a settlement that", () => {
  test("reverted in a block is tried again at once, not when the block is final", async () => {
    const channel = await books.openChannel();
    const { batchId } = await books.pay(channel, 2_000n);
    await forceBatches(books.sql, books.runId, books.now);
    await pass();
    const first = await books.signed(batchId);
    await books.sql`UPDATE chain_transaction SET state = 'mined', success = false, final = false`;
    await pass();
    const second = await books.signed(batchId);
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted" });
    const sent = await books.sql`SELECT key FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY id`;
    expect(sent.map(({ key }) => key)).toEqual([`batch:${batchId}:0`, `batch:${batchId}:1`]);
    // A reorganisation lets the first one succeed after all: the second moves nothing.
    await books.claim(channel, 2_000n, books.event(first));
    await books.sql`UPDATE chain_transaction SET state = 'mined', success = true`;
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "settled", transactionHash: first });
    expect(second).not.toBe(first);
  });

  test("is over and has left a voucher unclaimed is followed by another", async () => {
    const [taken, left] = [await books.openChannel(), await books.openChannel()];
    const { batchId } = await books.pay(taken, 400n);
    await books.pay(left, 700n);
    await forceBatches(books.sql, books.runId, books.now);
    await pass();
    await books.claim(taken, 400n, books.event(await books.signed(batchId)));
    await books.sql`UPDATE chain_transaction SET state = 'mined', success = true`;
    await pass();
    const sent = await books.sql`SELECT FROM chain_transaction WHERE run_id = ${books.runId}`;
    expect(sent, "its events may be on their way").toHaveLength(1);
    await books.sql`UPDATE chain_transaction SET final = true`;
    await pass();
    await books.claim(left, 700n, books.event(await books.signed(batchId)));
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
  });

  test("finds more to claim than was judged is judged anew: a reorganisation came between", async () => {
    const [claimed, other] = [await books.openChannel(), await books.openChannel()];
    const { batchId } = await books.pay(claimed, 400n);
    await books.pay(other, 700n);
    await forceBatches(books.sql, books.runId, books.now);
    await pass();
    await books.sql`UPDATE chain_transaction SET state = 'failed'`;
    const place = books.event();
    await books.claim(claimed, 400n, place);
    let isFirst = true;
    const simulate = async () => {
      if (isFirst) await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
      isFirst = false;
    };
    await pass({ sender: senderOf(books, simulate) });
    expect(await books.shown(batchId), "nothing was sent").toMatchObject({ state: "closed" });
    await pass({ sender: senderOf(books, simulate) });
    const hash = await books.signed(batchId);
    await books.claim(claimed, 400n, books.event(hash));
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted" });
    await books.claim(other, 700n, books.event(hash));
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
  });
});
