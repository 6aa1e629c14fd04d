import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { payOutHeld } from "#offchain/features/payments/jobs/payouts.ts";
import { type Books, bookedTokens, eachWithBooks, hex } from "../../../support/books.ts";
import { senderOf } from "./settling.ts";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const tenMinutes = 600_000;
const addresses = { batchSettlement: hex(20), clearing: hex(20) };

/** Payees for whom so much was claimed and not paid out. */
async function claimed(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const channel = await books.openChannel();
    await books.pay(channel, 100n);
    await books.claim(channel, 100n, books.event());
  }
}

/** @param blocked how many calls, by their order, the token does not let through */
function payouts({ size = 200, blocked = 0 } = {}) {
  const refused = new Set<string>();
  const sender = senderOf(books, async ({ data }) => {
    if (refused.size < blocked) refused.add(data);
    if (refused.has(data)) throw new BursarError("TRANSACTION_REVERTED", "blocked");
  });
  return payOutHeld(
    {
      sql: books.sql,
      ledger: books.ledger,
      sender,
      runId: () => books.runId,
      addresses,
      tokens: bookedTokens,
    },
    size,
  );
}

const sent = async () =>
  (
    await books.sql<{ state: string }[]>`
      SELECT state FROM chain_transaction WHERE run_id = ${books.runId} AND purpose = 'payee.settle' ORDER BY id`
  ).map(({ state }) => state);

test("payees who cannot be paid hold up nobody behind them", async () => {
  await claimed(5);
  const pass = payouts({ size: 2, blocked: 3 });
  const paid = [await pass(), await pass(), await pass()];
  expect(paid).toEqual([0, 1, 1]);
  expect(await sent()).toHaveLength(2);
  expect(await pass(), "and the first ones are tried again").toBe(0);
});

test("a payout that is on its way is not sent again, however long that takes", async () => {
  await claimed(1);
  const pass = payouts();
  await pass();
  books.now += 2 * tenMinutes;
  await pass();
  expect(await sent()).toEqual(["prepared"]);
});

test("a payout that failed on the chain is sent again, once in ten minutes", async () => {
  await claimed(1);
  const pass = payouts();
  await pass();
  await books.sql`
    UPDATE chain_transaction SET state = 'mined', success = false, final = true, updated_at = ${books.now}
    WHERE run_id = ${books.runId}`;
  books.now += tenMinutes - 1;
  await pass();
  expect(await sent()).toEqual(["mined"]);
  books.now += 1;
  await pass();
  await pass();
  expect(await sent()).toEqual(["mined", "prepared"]);
});
