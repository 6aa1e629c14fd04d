import { describe, expect, test } from "vitest";
import { FairQueue } from "#offchain/platform/fairQueue.ts";

/** Works that last until they are told to end. */
function world(options: Partial<ConstructorParameters<typeof FairQueue>[0]> = {}) {
  const queue = new FairQueue({ what: "works", atOnce: 2, atOnceOfOne: 1, waitingMax: 4, ...options });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const outcomes = new Map<string, string>();
  const ask = (caller: string, name: string) =>
    void queue
      .run(caller, async () => {
        begun.push(name);
        await new Promise<void>((end) => ends.set(name, end));
      })
      .then(
        () => outcomes.set(name, "done"),
        ({ code }) => outcomes.set(name, code),
      );
  const settled = () => new Promise<void>((done) => setImmediate(done));
  const end = async (name: string) => {
    ends.get(name)?.();
    await settled();
  };
  return { ask, begun, end, outcomes, settled };
}

test("a caller that asks for much waits for itself, and others go in between", async () => {
  const { ask, begun, end } = world();
  for (const name of ["a1", "a2", "a3"]) ask("a", name);
  expect(begun, "one of each at once").toEqual(["a1"]);
  ask("b", "b1");
  ask("c", "c1");
  expect(begun).toEqual(["a1", "b1"]);
  await end("a1");
  expect(begun.slice(2), "it was a's turn before it was c's").toEqual(["a2"]);
  await end("a2");
  expect(begun.slice(3)).toEqual(["c1"]);
  await end("b1");
  expect(begun.slice(4)).toEqual(["a3"]);
});

describe("when too many wait", () => {
  test("whoever has most waiting loses the newest of it to one that has less", async () => {
    const { ask, begun, end, outcomes, settled } = world();
    for (const name of ["a1", "a2", "a3", "a4", "a5"]) ask("a", name);
    ask("b", "b1");
    ask("b", "b2");
    await settled();
    expect([...outcomes]).toEqual([["a5", "OVERLOADED"]]);
    await end("a1");
    await end("b1");
    expect(begun).toEqual(["a1", "b1", "a2", "b2"]);
  });

  test("one that has as much itself is refused, and leaves nothing behind", async () => {
    const { ask, begun, end, outcomes, settled } = world({ waitingMax: 2 });
    for (const caller of ["a", "b", "c", "d"]) ask(caller, `${caller}1`);
    ask("e", "e1");
    await settled();
    expect([...outcomes]).toEqual([["e1", "OVERLOADED"]]);
    for (const caller of ["a", "b", "c", "d"]) await end(`${caller}1`);
    ask("e", "e2");
    expect(begun.at(-1)).toBe("e2");
  });
});

test("work that fails gives its turn to the next", async () => {
  const queue = new FairQueue({ what: "works", atOnce: 1, atOnceOfOne: 1, waitingMax: 4 });
  const first = queue.run("a", () => Promise.reject(new Error("no")));
  const second = queue.run("b", async () => "yes");
  await expect(first).rejects.toThrow("no");
  expect(await second).toBe("yes");
});

test("nobody waits for long: who comes too late in line is told, and what runs goes on", async () => {
  const queue = new FairQueue({ what: "works", atOnce: 1, atOnceOfOne: 1, waitingMax: 9, patienceMs: 20 });
  let end: (word: string) => void = () => {};
  const running = queue.run(
    "one",
    () =>
      new Promise<string>((done) => {
        end = done;
      }),
  );
  await expect(queue.run("other", async () => "late")).rejects.toMatchObject({
    code: "OVERLOADED",
    message: "works before this one took longer than 20 ms; send it again",
  });
  end("done");
  expect(await running).toBe("done");
  expect(await queue.run("other", async () => "in time")).toBe("in time");
});
