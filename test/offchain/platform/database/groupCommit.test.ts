import { expect, test } from "vitest";
import { ConnectionError } from "#offchain/platform/database/driver/errors.ts";
import { GroupCommit } from "#offchain/platform/database/groupCommit.ts";

const limits = { maxGroup: 4, maxWaiting: 8 };

/** Commits when it is told to, so that the test decides what waits together. */
function heldCommit() {
  const groups: number[][] = [];
  const releases: (() => void)[] = [];
  const queue = new GroupCommit<number, string>(async (items) => {
    groups.push([...items]);
    await new Promise<void>((done) => releases.push(done));
    return items.map((item) => `done ${item}`);
  }, limits);
  /** Lets the group in hand be written, once there is one. */
  const release = async () => {
    while (releases.length === 0) await new Promise((done) => setImmediate(done));
    releases.shift()?.();
  };
  return { queue, groups, release };
}

test("callers that come while a group is written share the next one", async () => {
  const { queue, groups, release } = heldCommit();
  const first = queue.submit([1]);
  const others = [queue.submit([2]), queue.submit([3, 4])];
  await release();
  await expect(first).resolves.toEqual(["done 1"]);
  await release();
  await expect(Promise.all(others)).resolves.toEqual([["done 2"], ["done 3", "done 4"]]);
  expect(groups).toEqual([[1], [2, 3, 4]]);
});

test("a group holds no more than its limit, and a caller's items stay together", async () => {
  const { queue, groups, release } = heldCommit();
  const all = [queue.submit([1]), queue.submit([2, 3]), queue.submit([4, 5, 6])];
  for (let group = 0; group < 3; group += 1) {
    await release();
    await all[group];
  }
  expect(groups).toEqual([[1], [2, 3], [4, 5, 6]]);
});

test("more than may wait is turned away by name", async () => {
  const { queue, release } = heldCommit();
  const first = queue.submit([1]);
  const waiting = queue.submit([2, 3, 4, 5]);
  const more = queue.submit([6, 7, 8]);
  await expect(queue.submit([9, 10])).rejects.toMatchObject({
    code: "OVERLOADED",
    facts: { waiting: 7, limit: 8 },
  });
  for (const caller of [first, waiting, more]) {
    await release();
    await caller;
  }
});

test("a failure stands alone: the callers beside it are written", async () => {
  let isHeld = true;
  let open = () => {};
  const held = new Promise<void>((done) => {
    open = done;
  });
  const queue = new GroupCommit<number, number>(
    async (items) => {
      if (isHeld) await held;
      if (items.includes(3)) throw new Error("three is refused");
      return [...items];
    },
    { maxGroup: 10, maxWaiting: 10 },
  );
  const first = queue.submit([0]);
  const callers = [1, 2, 3, 4].map((item) => queue.submit([item]));
  isHeld = false;
  open();
  await first;
  const outcomes = await Promise.allSettled(callers);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
});

test("a database that is away is told to the whole group at once, and not to each half in turn", async () => {
  let tries = 0;
  const queue = new GroupCommit<number, number>(async () => {
    tries += 1;
    await new Promise((done) => setImmediate(done));
    throw new ConnectionError("CONNECTION_FAILED", "away");
  }, limits);
  const callers = [1, 2, 3, 4, 5].map((item) => queue.submit([item]));
  for (const outcome of await Promise.allSettled(callers))
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "STORE_UNAVAILABLE" } });
  expect(tries).toBe(2);
});
