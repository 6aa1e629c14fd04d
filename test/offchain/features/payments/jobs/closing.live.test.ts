import { expect, test } from "vitest";
import { ClosingWatch } from "#offchain/features/payments/jobs/closing.ts";
import type { ClosingChannel } from "#offchain/features/payments/service.ts";
import { forceBatches } from "#offchain/features/payments/store/batches.ts";
import { markSubmitted } from "#offchain/features/payments/store/settlements.ts";
import { addWithdrawal } from "#offchain/features/payments/store/withdrawals.ts";
import { createBus, type StreamEvent } from "#offchain/platform/observe/bus.ts";
import { type Books, eachWithBooks } from "../../../support/books.ts";

let books: Books;
let told: StreamEvent[];
let warned: unknown[];

eachWithBooks((opened) => {
  books = opened;
  [told, warned] = [[], []];
});

function watch(): ClosingWatch {
  const bus = createBus({ run: "test", ringSize: 10 });
  bus.subscribe(({ event }) => told.push(event));
  return new ClosingWatch({
    sql: books.sql,
    clock: { now: () => books.now },
    log: { warn: (about: unknown) => warned.push(about) } as never,
    bus,
    runId: () => books.runId,
  });
}

const withdraw = (channelId: `0x${string}`, left = 1n) =>
  books.begin((tx) => addWithdrawal(tx, books.runId, channelId, { at: books.now + 900_000, left }));

const facts = () =>
  told.splice(0).map((event) => {
    if (event.type !== "channel.closing") throw new Error(`told ${event.type}`);
    const { channelId, withdrawableAt, unclaimed, isClaiming } = event as unknown as ClosingChannel;
    return [channelId, withdrawableAt, unclaimed.amount, isClaiming];
  });

test("a payee is told that a payer withdraws, that the claim is under way, and that it is claimed", async () => {
  const channelId = await books.openChannel();
  const { batchId } = await books.pay(channelId, 300n);
  const closing = watch();
  expect([await closing.look(), facts()]).toEqual([0, []]);

  await withdraw(channelId);
  const until = books.now + 900_000;
  expect([await closing.look(), facts()]).toEqual([1, [[channelId, until, "0.0003", false]]]);
  expect(warned).toMatchObject([{ channelId, unclaimed: { amount: "0.0003" } }]);
  expect([await closing.look(), facts()], "once").toEqual([1, []]);

  await forceBatches(books.sql, books.runId, books.now);
  await books.begin((tx) => markSubmitted(tx, batchId, 1n));
  expect([await closing.look(), facts()]).toEqual([1, [[channelId, until, "0.0003", true]]]);
  await books.claim(channelId, 300n, books.event());
  expect([await closing.look(), facts()]).toEqual([0, [[channelId, until, "0", false]]]);
  expect([await closing.look(), facts()]).toEqual([0, []]);
  expect(warned).toHaveLength(1);
});

test("a withdrawal that ends before the claim is told as over", async () => {
  const channelId = await books.openChannel();
  await books.pay(channelId, 300n);
  await withdraw(channelId);
  const closing = watch();
  expect(await closing.look()).toBe(1);
  expect(facts()).toHaveLength(1);
  await books.begin((tx) => addWithdrawal(tx, books.runId, channelId, null));
  expect([await closing.look(), facts()]).toEqual([0, [[channelId, null, "0.0003", false]]]);
});

test("a channel of which all is claimed closes without a word", async () => {
  const channelId = await books.openChannel();
  await books.pay(channelId, 300n);
  await books.claim(channelId, 300n, books.event());
  await withdraw(channelId);
  expect([await watch().look(), facts(), warned]).toEqual([0, [], []]);
});
