import { expect, test } from "vitest";
import { shareFresh } from "#offchain/platform/jobs/shareFresh.ts";

test("whoever asks while a run is under way or its answer is fresh shares it", async () => {
  let runs = 0;
  const read = shareFresh(async () => ++runs, 60_000);
  expect(await Promise.all([read(), read()])).toEqual([1, 1]);
  expect(await read()).toBe(1);
});

test("an answer that is old is asked for anew", async () => {
  let runs = 0;
  const read = shareFresh(async () => ++runs, 0);
  expect([await read(), await read()]).toEqual([1, 2]);
});

test("a failure is told, and not kept", async () => {
  let runs = 0;
  const read = shareFresh(async () => {
    runs += 1;
    if (runs === 1) throw new Error("away");
    return runs;
  }, 60_000);
  await expect(read()).rejects.toThrow("away");
  expect(await read()).toBe(2);
});
