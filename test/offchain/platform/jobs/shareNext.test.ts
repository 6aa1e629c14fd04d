import { expect, test } from "vitest";
import { shareEach, shareNext } from "#offchain/platform/jobs/shareNext.ts";

/** A reading of a state that the test moves; each run reads when it begins and answers when it is let go. */
function reading() {
  const state = { value: 0, runs: 0 };
  const open: { settle: (error?: Error) => void }[] = [];
  const read = shareNext(() => {
    state.runs += 1;
    const seen = state.value;
    return new Promise<number>((done, fail) => {
      open.push({ settle: (error) => (error ? fail(error) : done(seen)) });
    });
  });
  const settle = async (error?: Error) => {
    await begun();
    open.shift()?.settle(error);
  };
  const begun = async () => {
    while (open.length === 0) await Promise.resolve();
  };
  return { state, read, settle, begun };
}

test("callers who ask before a run begins share it", async () => {
  const { state, read, settle } = reading();
  const answers = [read(), read(), read()];
  await settle();
  expect(await Promise.all(answers)).toEqual([0, 0, 0]);
  expect(state.runs).toBe(1);
});

test("a caller who asks while a run is under way is answered by the next one, which has seen all that the caller saw", async () => {
  const { state, read, settle, begun } = reading();
  const early = read();
  await begun();
  state.value = 1;
  const late = [read(), read()];
  await settle();
  expect(await early).toBe(0);
  await settle();
  expect(await Promise.all(late)).toEqual([1, 1]);
  expect(state.runs).toBe(2);
});

test("a run that fails is told to those who shared it, and the next one runs", async () => {
  const { read, settle, begun } = reading();
  const early = expect(read()).rejects.toThrow("the chain is away");
  await begun();
  const late = read();
  await settle(new Error("the chain is away"));
  await early;
  await settle();
  expect(await late).toBe(0);
});

test("a run begins no sooner than the set time after the one before, and all who ask meanwhile share it", async () => {
  let runs = 0;
  const read = shareNext(async () => {
    runs += 1;
    return runs;
  }, 60);
  const startedAt = performance.now();
  expect(await read()).toBe(1);
  const asked: Promise<number>[] = [];
  for (let at = 0; at < 20; at += 1) {
    asked.push(read());
    await Promise.resolve();
  }
  expect(new Set(await Promise.all(asked))).toEqual(new Set([2]));
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(58);
});

test("after a run that took long it rests as long", async () => {
  const began: number[] = [];
  const ended: number[] = [];
  const read = shareNext(
    async () => {
      began.push(performance.now());
      await new Promise((done) => setTimeout(done, 50));
      ended.push(performance.now());
    },
    0,
    1,
  );
  await Promise.all([read(), read().then(() => read())]);
  expect((began[1] ?? 0) - (ended[0] ?? 0)).toBeGreaterThanOrEqual(45);
});

test("each key is shared by itself, and one that failed is read again", async () => {
  const runs: string[] = [];
  const read = shareEach(async (key) => {
    runs.push(key);
    if (runs.length === 1) throw new Error("away");
    return key.toUpperCase();
  });
  await expect(Promise.all([read("a"), read("a")])).rejects.toThrow("away");
  expect(await Promise.all([read("a"), read("b"), read("a")])).toEqual(["A", "B", "A"]);
  expect(runs).toEqual(["a", "a", "b"]);
});
