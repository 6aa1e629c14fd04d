import { expect, test } from "vitest";
import { TrueTime } from "#offchain/platform/observe/trueTime.ts";

const day = 86_400_000;
const boundMs = 300_000;

function world(ahead = 0) {
  const time = { ahead };
  const clock = { now: () => Date.now() + time.ahead };
  const database = { name: "the database", now: async () => Date.now() };
  return { time, clock, database };
}

test("a clock that the others share is believed", async () => {
  const { clock, database } = world(1_000);
  const time = new TrueTime(clock, boundMs, [database]);
  expect(await time.fault()).toBeNull();
  expect(await time.check()).toEqual({});
});

test.each([31 * day, -31 * day])("one that is %d ms off is not, and health says so", async (ahead) => {
  const { clock, database } = world(ahead);
  const time = new TrueTime(clock, boundMs, [database]);
  expect(await time.fault()).toContain("the database");
  expect(await time.check()).toMatchObject({
    status: "degraded",
    detail: { problem: expect.stringContaining(ahead > 0 ? "ahead of" : "behind") },
  });
});

test("a witness may bear less than is set for all, and never more", async () => {
  const near = (bound: number) => ({ name: "the database", now: async () => Date.now(), boundMs: bound });
  const { clock } = world(240_000);
  expect(await new TrueTime(clock, boundMs, [near(30_000)]).fault()).toContain("ahead of the database");
  expect(await new TrueTime(clock, 60_000, [near(300_000)]).fault()).toContain("ahead of the database");
  expect(await new TrueTime(clock, boundMs, [near(300_000)]).fault()).toBeNull();
});

test("one that the database shares is not, if a chain's newest block is of another time", async () => {
  const { clock } = world(2 * day);
  const database = { name: "the database", now: async () => clock.now() };
  const chain = { name: "chain 1", now: async () => Date.now() };
  expect(await new TrueTime(clock, boundMs, [database, chain]).fault()).toContain("chain 1");
});

test("one that is moved after it was believed is looked at again at once, and put right it is believed", async () => {
  const { time, clock, database } = world();
  const trueTime = new TrueTime(clock, boundMs, [database]);
  expect(await trueTime.fault()).toBeNull();
  time.ahead = day;
  expect(await trueTime.fault()).not.toBeNull();
  time.ahead = 0;
  expect(await trueTime.fault()).toBeNull();
});

test("a witness that is away says nothing", async () => {
  const away = {
    name: "chain 1",
    now: async () => {
      throw new Error("away");
    },
  };
  const { clock, database } = world();
  expect(await new TrueTime(clock, boundMs, [away, database]).fault()).toBeNull();
});
