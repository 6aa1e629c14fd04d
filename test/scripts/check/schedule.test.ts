import { expect, test } from "vitest";
import { schedule, type Task } from "../../../scripts/check/schedule.ts";

/** Runs tasks that end when they are told, and keeps what started in which order. */
function bench(tasks: readonly Task[], lanes: number) {
  const started: string[] = [];
  const end = new Map<string, () => void>();
  const all = schedule(tasks, lanes, async ({ name }) => {
    started.push(name);
    await new Promise<void>((done) => end.set(name, done));
    return `${name} ended`;
  });
  const finish = async (name: string) => {
    end.get(name)?.();
    // Whatever the end sets off has begun by the next turn of the event loop.
    await new Promise((done) => setImmediate(done));
  };
  return { started, all, finish };
}

test("as many run as there are lanes, in the list's order, and the results are in it, too", async () => {
  const { started, all, finish } = bench([{ name: "a" }, { name: "b" }, { name: "c" }], 2);
  expect(started).toEqual(["a", "b"]);
  await finish("b");
  expect(started).toEqual(["a", "b", "c"]);
  await finish("c");
  await finish("a");
  expect(await all).toEqual(["a ended", "b ended", "c ended"]);
});

test("a task waits for those that it comes after while later ones go by", async () => {
  const tasks = [
    { name: "build" },
    { name: "tests", after: ["build"] },
    { name: "format" },
    { name: "lint" },
  ];
  const { started, finish } = bench(tasks, 2);
  expect(started).toEqual(["build", "format"]);
  await finish("format");
  expect(started).toEqual(["build", "format", "lint"]);
  await finish("build");
  expect(started.at(-1)).toBe("tests");
});

test("what is not part of the run is not waited for", async () => {
  const { started } = bench([{ name: "tests", after: ["build"] }], 1);
  expect(started).toEqual(["tests"]);
});

test("tasks that wait for each other are named instead of waiting for ever", async () => {
  const tasks = [
    { name: "a", after: ["b"] },
    { name: "b", after: ["a"] },
  ];
  await expect(schedule(tasks, 2, async () => {})).rejects.toThrow("these wait for each other: a, b");
});

test("a task that throws ends the run with its error", async () => {
  await expect(
    schedule([{ name: "a" }], 1, async () => {
      throw new Error("broken");
    }),
  ).rejects.toThrow("broken");
});
