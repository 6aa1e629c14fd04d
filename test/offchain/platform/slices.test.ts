import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { inSlices } from "#offchain/platform/slices.ts";

test("others have their turn while a long work goes on, and its result is what the work returns", async () => {
  let turns = 0;
  let isOver = false;
  const others = (async () => {
    while (!isOver) {
      await setImmediate();
      turns += 1;
    }
  })();
  function* work(): Generator<void, number> {
    const until = performance.now() + 200;
    let steps = 0;
    for (; performance.now() < until; steps += 1) yield;
    return steps;
  }
  expect(await inSlices(work())).toBeGreaterThan(0);
  isOver = true;
  await others;
  // Some twenty slices of ten milliseconds; on a busy machine each may take longer.
  expect(turns).toBeGreaterThan(3);
});

test("what the work throws is thrown", async () => {
  function* failing(): Generator<void, never> {
    yield;
    throw new Error("out of range");
  }
  await expect(inSlices(failing())).rejects.toThrow("out of range");
});
