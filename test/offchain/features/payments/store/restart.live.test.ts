import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { addCredits } from "#offchain/features/clearing/store/credits.ts";
import { listChannels } from "#offchain/features/payments/store/channels.ts";
import { openFigures } from "#offchain/features/payments/store/figures.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import { Books, bookedChainId, eachWithBooks, hex } from "../../../support/books.ts";

/** What is told of payments once their chain was restarted. */

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const figures = () => openFigures(books.sql, bookedChainId, () => books.runId);

async function payAndSettle(): Promise<void> {
  const channelId = await books.openChannel();
  await books.pay(channelId, 2_000n);
  await books.sql`UPDATE batch SET state = 'settled' WHERE run_id = ${books.runId}`;
  await books.sql`
    INSERT INTO chain_transaction (run_id, chain_id, sender, key, request_hash, target, value, data, purpose, state, success,
      gas_used, final, created_at, updated_at)
    VALUES (${books.runId}, ${bookedChainId}, ${bytesOf(hex(20))}, 'settle', '', ${bytesOf(hex(20))}, 0, '', 'batch.settle',
      'mined', true, 900, true, 0, 0)`;
}

test("the figures are those of the chain as it is now: what was paid before its restart is in none", async () => {
  await payAndSettle();
  await books.begin((tx) => addCredits(tx, books.runId, new Map([[hex(20), 5n]]), books.now));
  const before = [await figures().payments(), await figures().batches()];
  expect(before).toMatchObject([
    { total: 1, payers: 1, payees: 2, values: new Map([["USDC", 2_000n]]) },
    { settled: 1, gasUsed: 900n },
  ]);
  const earlier = books;
  books = await Books.open(earlier.sql);
  expect(await figures().payments()).toEqual({
    total: 0,
    pending: 0,
    settled: 0,
    payers: 0,
    payees: 0,
    values: new Map(),
  });
  expect(await figures().batches()).toEqual({ settled: 0, gasUsed: 0n, open: [] });

  await payAndSettle();
  expect(await figures().payments()).toMatchObject({ total: 1, payers: 1, payees: 1 });
  expect(await figures().batches()).toMatchObject({ settled: 1, gasUsed: 900n });
});

/** The parties of every run, by run and role. */
const parties = () => books.sql<object[]>`
  SELECT run_id, role, address FROM payment_party ORDER BY run_id, role, address`;

test("the migration gives each run the parties that it has", async () => {
  for (const _ of [1, 2]) {
    await payAndSettle();
    await books.begin((tx) => addCredits(tx, books.runId, new Map([[hex(20), 5n]]), books.now));
    books = await Books.open(books.sql);
  }
  const noted = [...(await parties())];
  expect(noted.length).toBeGreaterThanOrEqual(6);
  const folder = new URL("../../../../../offchain/features/", import.meta.url);
  for (const name of [
    "payments/migrations/0007_parties_of_run.sql",
    "clearing/migrations/0005_payees_of_run.sql",
  ])
    await books.sql.unsafe(await readFile(new URL(name, folder), "utf8"));
  expect([...(await parties())]).toEqual(noted);
});

test("channels of a chain that is gone are not listed, also while the new one has none", async () => {
  const channelId = await books.openChannel();
  const listed = async () =>
    (await listChannels(books.sql, books.runId, { limit: 5 })).map((channel) => channel.channelId);
  expect(await listed()).toEqual([channelId]);
  books = await Books.open(books.sql);
  expect(await listed()).toEqual([]);
});
