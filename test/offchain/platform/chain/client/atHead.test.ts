import { expect, test } from "vitest";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import type { ChainStatus } from "#offchain/platform/chain/port.ts";

function ask() {
  const chain = { runId: 1n, head: 5n, indexedTo: 5n };
  const time = { now: 1_000 };
  let asked = 0;
  const cache = new AtHead<number>(
    { status: () => chain as unknown as ChainStatus },
    { now: () => time.now },
  );
  const get = (question = "q") =>
    cache.get(question, async () => {
      asked += 1;
      return asked;
    });
  return { chain, time, cache, get };
}

test("asks once while the head stands, also when asked at the same time", async () => {
  const { get } = ask();
  expect(await Promise.all([get(), get(), get("other")])).toEqual([1, 1, 2]);
  expect(await get()).toBe(1);
});

test.each(["head", "indexedTo", "runId"] as const)("asks again when the chain's %s moves", async (field) => {
  const { chain, get } = ask();
  await get();
  chain[field] += 1n;
  expect(await get()).toBe(2);
});

test("asks again after a second: the head may stand still for a provider that lags", async () => {
  const { time, get } = ask();
  await get();
  time.now += 999;
  expect(await get()).toBe(1);
  time.now += 1;
  expect(await get()).toBe(2);
});

test("does not keep a failure", async () => {
  const { cache, get } = ask();
  await expect(cache.get("q", () => Promise.reject(new Error("down")))).rejects.toThrow("down");
  expect(await get()).toBe(1);
});

test("asks again when the clock was set back: nobody knows how old the answers are", async () => {
  const { time, get } = ask();
  time.now += 40 * 86_400_000;
  await get();
  time.now -= 40 * 86_400_000;
  expect(await get()).toBe(2);
});
