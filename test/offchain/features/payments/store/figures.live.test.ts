import { expect, test } from "vitest";
import { openFigures } from "#offchain/features/payments/store/figures.ts";
import { gasUsedFor } from "#offchain/platform/chain/sender/transactionStore.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import { type Books, bookedChainId, eachWithBooks, hex } from "../../../support/books.ts";
import { chance } from "../../../support/chance.ts";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const random = chance();
const pick = <Item>(items: readonly Item[]): Item => items[random.below(items.length)] as Item;

/** One batch a state and unit, at least: `open` ones are one a unit. */
const states = ["closed", "submitted", "settled", "lost"] as const;

async function addBatch(): Promise<void> {
  const [unit, state] = [pick(["USDC", "EURC"]), pick(states)];
  await books.sql`
    INSERT INTO batch (run_id, unit, state, payments, value, opened_at, settled_at, transaction_hash)
    VALUES (${books.runId}, ${unit}, ${state}, ${random.below(100)}, ${random.below(1_000)}, 0,
      ${state === "settled" ? 0 : null}, ${state === "settled" ? bytesOf(hex(32)) : null})`;
}

const changeBatch = () => {
  const state = pick(states);
  return books.sql`
    UPDATE batch SET state = ${state}, settled_at = ${state === "settled" ? 0 : null},
      transaction_hash = ${state === "settled" ? bytesOf(hex(32)) : null}
    WHERE id = (SELECT id FROM batch WHERE run_id = ${books.runId} ORDER BY random() LIMIT 1)`;
};

test("whatever becomes of batches, the sums are those of all of them", async () => {
  const figures = openFigures(books.sql, bookedChainId, () => books.runId);
  for (let step = 0; step < 60; step += 1) {
    await (random.below(3) === 0 ? addBatch() : changeBatch());
    const [counted] = await books.sql<{ total: number; waiting: number; done: number; settled: number }[]>`
      SELECT coalesce(sum(payments), 0)::int AS total, (count(*) FILTER (WHERE state = 'settled'))::int AS settled,
        coalesce(sum(payments) FILTER (WHERE state IN ('closed', 'submitted')), 0)::int AS waiting,
        coalesce(sum(payments) FILTER (WHERE state = 'settled'), 0)::int AS done
      FROM batch WHERE run_id = ${books.runId}`;
    const values = await books.sql<{ unit: string; value: bigint }[]>`
      SELECT unit, sum(value)::numeric(38,0) AS value FROM batch WHERE run_id = ${books.runId} GROUP BY unit`;
    expect(await figures.payments(), `step ${step}`).toMatchObject({
      total: counted?.total,
      pending: counted?.waiting,
      settled: counted?.done,
      values: new Map(values.map(({ unit, value }) => [unit, value])),
    });
    expect((await figures.batches()).settled).toBe(counted?.settled);
  }
});

test("whatever becomes of transactions, their gas is that of those that are mined", async () => {
  const purposes = ["a", "b"];
  const gas = () => random.below(100_000);
  for (let step = 0; step < 60; step += 1) {
    if (random.below(3) === 0)
      await books.sql`
        INSERT INTO chain_transaction (run_id, chain_id, sender, key, request_hash, target, value, data, purpose, state,
          success, gas_used, created_at, updated_at)
        VALUES (${books.runId}, ${bookedChainId}, ${bytesOf(hex(20))}, ${`k${step}`}, '', ${bytesOf(hex(20))}, 0, '',
          ${pick(purposes)}, ${pick(["sent", "mined"])}, true, ${gas()}, 0, 0)`;
    else
      await books.sql`
        UPDATE chain_transaction SET state = ${pick(["sent", "mined", "mined", "failed"])}, gas_used = ${gas()}
        WHERE id = (SELECT id FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY random() LIMIT 1)`;
    for (const asked of [["a"], ["b"], purposes, ["c"]]) {
      const [counted] = await books.sql<{ gas: bigint }[]>`
        SELECT coalesce(sum(gas_used), 0)::numeric(38,0) AS gas FROM chain_transaction
        WHERE run_id = ${books.runId} AND state = 'mined' AND purpose = ANY(${asked}::text[])`;
      expect(await gasUsedFor(books.sql, books.runId, asked), `step ${step}`).toBe(counted?.gas);
    }
  }
});
