import { expect, test } from "vitest";
import { CommitQueue, isPassing, refuseBefore } from "#offchain/platform/database/commitQueue.ts";

const queueOf = (...sizes: number[]) => {
  const queue = new CommitQueue<number, string>({ maxWaiting: 10 });
  const outcomes = sizes.map((size) => queue.add(new Array<number>(size).fill(size)));
  for (const outcome of outcomes) outcome.catch(() => {});
  return { queue, outcomes };
};
const sizesOf = (taken: readonly { items: readonly number[] }[]) => taken.map(({ items }) => items.length);

test("callers are taken as they came, whole, as many as fit", () => {
  const { queue } = queueOf(1, 2, 3, 1);
  expect(sizesOf(queue.take({ items: 5 }))).toEqual([1, 2]);
  expect(sizesOf(queue.take({ items: 5, callers: 1 }))).toEqual([3]);
  expect(queue.isEmpty).toBe(false);
  expect(sizesOf(queue.take({ items: 5 }))).toEqual([1]);
  expect(queue.isEmpty).toBe(true);
});

test("a caller with more than fits is taken alone, but not when it has to fit", () => {
  const { queue } = queueOf(4, 1);
  expect(queue.take({ items: 3, hasToFit: true })).toEqual([]);
  expect(sizesOf(queue.take({ items: 3 }))).toEqual([4]);
});

test("there is room again for what was taken or refused", async () => {
  const { queue, outcomes } = queueOf(6, 4);
  await expect(queue.add([1])).rejects.toMatchObject({
    code: "OVERLOADED",
    facts: { waiting: 10, limit: 10 },
  });
  queue.take({ items: 6 });
  const refused = new Error("away");
  queue.refuseBefore(performance.now(), refused);
  await expect(outcomes[1]).rejects.toBe(refused);
  expect(queue.isEmpty).toBe(true);
  void queue.add(new Array<number>(10).fill(0));
  expect(sizesOf(queue.take({ items: 10 }))).toEqual([10]);
});

test("only those that came before the moment are refused", () => {
  const told: number[] = [];
  const callers = [1, 2, 3].map((since) => ({ since, reject: () => void told.push(since) }));
  expect(refuseBefore(callers, 2, new Error("away")).map(({ since }) => since)).toEqual([3]);
  expect(told).toEqual([1, 2]);
});

test("an error that passes is known by its code", () => {
  expect(["23505", "40001", "40P01"].map((code) => isPassing({ code }))).toEqual([true, true, true]);
  expect([null, new Error("23505"), { code: "23503" }].map(isPassing)).toEqual([false, false, false]);
});
