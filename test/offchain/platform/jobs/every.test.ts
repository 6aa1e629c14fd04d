import { expect, it } from "vitest";
import { every, pauseMs } from "#offchain/platform/jobs/every.ts";

/** Long enough that only a stop can end it within a test. */
const longMs = 3_600_000;
const noError = (error: unknown) => {
  throw error;
};

/** A task whose runs are ended by hand, and how many runs there were. */
function gated() {
  let end: (error?: Error) => void = () => {};
  let started: () => void = () => {};
  let next = new Promise<void>((resolve) => {
    started = resolve;
  });
  const gate = {
    runs: 0,
    running: 0,
    mostAtOnce: 0,
    /** Resolves with the start of a further run. */
    nextRun: () => next,
    end: (error?: Error) => end(error),
    async task() {
      gate.runs += 1;
      gate.running += 1;
      gate.mostAtOnce = Math.max(gate.mostAtOnce, gate.running);
      const done = new Promise<void>((resolve, reject) => {
        end = (error) => (error ? reject(error) : resolve());
      });
      started();
      next = new Promise((resolve) => {
        started = resolve;
      });
      await done.finally(() => {
        gate.running -= 1;
      });
    },
  };
  return gate;
}

it("runs at once and again, one run after the other, however long a run takes", async () => {
  const gate = gated();
  const repeated = every(0, gate.task, noError);
  expect(gate.runs).toBe(1);
  for (let run = 2; run <= 5; run += 1) {
    const next = gate.nextRun();
    // Ten turns of the loop in which an interval that does not wait for the task would fire.
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
    expect(gate.runs).toBe(run - 1);
    gate.end();
    await next;
  }
  const stopped = repeated.stop();
  gate.end();
  await stopped;
  expect([gate.runs, gate.mostAtOnce]).toEqual([5, 1]);
});

it("tells of a run that failed and goes on with the next", async () => {
  const gate = gated();
  const told: unknown[] = [];
  const repeated = every(0, gate.task, (error) => told.push(error));
  const [first, second] = [new Error("the database is away"), new Error("it is still away")];
  for (const error of [first, second]) {
    const next = gate.nextRun();
    gate.end(error);
    await next;
  }
  expect(told).toEqual([first, second]);
  const stopped = repeated.stop();
  gate.end();
  await stopped;
  expect(gate.runs).toBe(3);
});

it("tells of a task that throws before it promises anything", async () => {
  const told: unknown[] = [];
  const error = new Error("at once");
  const failing = () => {
    throw error;
  };
  await every(longMs, failing, (reason) => told.push(reason)).stop();
  expect(told).toEqual([error]);
});

it("stops in the middle of its wait, not at the end of it", async () => {
  let runs = 0;
  const repeated = every(
    longMs,
    async () => {
      runs += 1;
    },
    noError,
  );
  await repeated.stop();
  expect(runs).toBe(1);
});

it("is stopped only when the run in hand is over: nobody closes the database under it", async () => {
  const gate = gated();
  const repeated = every(longMs, gate.task, noError);
  let isStopped = false;
  const stopped = repeated.stop().then(() => {
    isStopped = true;
  });
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
  expect([isStopped, gate.running]).toEqual([false, 1]);
  gate.end();
  await stopped;
  expect([gate.runs, gate.running]).toEqual([1, 0]);
});

it("can be stopped twice, and starts no run after that", async () => {
  const gate = gated();
  const repeated = every(0, gate.task, noError);
  const both = [repeated.stop(), repeated.stop()];
  gate.end();
  await Promise.all(both);
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(gate.runs).toBe(1);
});

it.each([
  ["seldom", 60_000, [60_000, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000]],
  ["often", 250, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]],
  ["every few seconds", 4_000, [4_000, 5_000, 5_000]],
  ["at once", 0, [0, 0, 0]],
])(
  "a job that comes %s is tried again within five seconds, and then ever more seldom",
  (_, everyMs, waits) => {
    expect(waits.map((_wait, failures) => pauseMs(everyMs, failures))).toEqual(waits);
    expect(pauseMs(everyMs, 100_000)).toBe(waits.at(-1));
  },
);
