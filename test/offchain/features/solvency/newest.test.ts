import { expect, test } from "vitest";
import { newest } from "#offchain/features/solvency/newest.ts";

/** Runs that end when the test lets them, each with its number. */
function runs() {
  const open: { resolve: (run: number) => void; reject: (error: Error) => void }[] = [];
  const state = {
    begun: 0,
    run: () => {
      state.begun += 1;
      return new Promise<number>((resolve, reject) => open.push({ resolve, reject }));
    },
    end: () => open.shift()?.resolve(state.begun),
    fail: (error: Error) => open.shift()?.reject(error),
  };
  return state;
}
const pace = { everyMs: 0, patienceMs: 30 };

test("whoever asks gets the next comparison while that is quick", async () => {
  let run = 0;
  const ask = newest(async () => ++run, pace);
  expect([await ask(), await ask()]).toEqual([1, 2]);
});

test("a comparison that takes long is waited for a while; without one before it the caller is to ask again", async () => {
  const state = runs();
  const ask = newest(state.run, pace);
  const asked = await Promise.allSettled(Array.from({ length: 50 }, () => ask()));
  for (const answer of asked)
    expect(answer).toMatchObject({ reason: { code: "CHAIN_UNAVAILABLE", remedy: "retry", status: 503 } });
  expect(state.begun).toBe(1);
  state.end();
  // The next run is not over: the one before it is the newest.
  expect(await Promise.all(Array.from({ length: 50 }, () => ask()))).toEqual(new Array(50).fill(1));
  expect(state.begun).toBeLessThanOrEqual(2);
});

test("a comparison that fails is told, though there is an older one", async () => {
  const state = runs();
  const ask = newest(state.run, { everyMs: 0, patienceMs: 60_000 });
  const first = ask();
  await expect.poll(() => state.begun).toBe(1);
  state.end();
  expect(await first).toBe(1);
  const second = ask();
  await expect.poll(() => state.begun).toBe(2);
  state.fail(new Error("the chain is away"));
  await expect(second).rejects.toThrow("the chain is away");
});
