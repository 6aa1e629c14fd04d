import { expect, it } from "vitest";
import { chooseLocks } from "#offchain/platform/locks/choose.ts";

const none = { redisUrl: undefined, databaseUrl: undefined };
const shared = { redisUrl: undefined, databaseUrl: "postgres://db" };
const both = { redisUrl: "redis://r", databaseUrl: "postgres://db" };

it.each([
  ["auto", none, "local"],
  ["auto", shared, "postgres"],
  ["auto", both, "redis"],
  ["local", both, "local"],
  ["postgres", both, "postgres"],
  ["redis", both, "redis"],
] as const)("%s with %o takes %s", (mode, environment, wanted) => {
  expect(chooseLocks(mode, environment)).toBe(wanted);
});

it("refuses a Redis that is not named", () => {
  expect(() => chooseLocks("redis", shared)).toThrow("REDIS_URL");
});
