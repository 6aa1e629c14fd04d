import { expect, test } from "vitest";
import { follow, type News, type Seen } from "@/features/approvals/signing/following.ts";

/** Follows what is seen at each look; over at the last of them. */
async function followed(
  sights: readonly Seen[],
  isInBlock = false,
): Promise<{ news: News[]; looks: number }> {
  const left = [...sights];
  const news: News[] = [];
  let looks = 0;
  await follow(
    {
      async look() {
        looks += 1;
        return left.shift() ?? "silent";
      },
      tell: (one) => news.push(one),
      isOver: () => left.length === 0,
      pause: async () => {},
    },
    { isInBlock },
  );
  return { news, looks };
}

test("one that is slow to be mined is awaited without an end, and no silent node ends it", async () => {
  const slow: Seen[] = Array.from({ length: 1_000 }, (_, at) => (at % 2 === 0 ? "none" : "silent"));
  expect(await followed([...slow, "block", "block"])).toEqual({ news: ["block"], looks: 1_002 });
});

test("a reorganisation takes it out of its block, and may bring it back", async () =>
  expect(
    (await followed(["block", "block", "silent", "none", "none", "none", "none", "block", "none"])).news,
  ).toEqual(["block", "gone", "block"]));

test("a node that lags behind for a look or two has reorganised nothing", async () => {
  expect((await followed(["none", "none", "block", "none", "block", "block"], true)).news).toEqual([]);
});

test("what the service has executed is watched from its block on", async () =>
  expect((await followed(["block", "none", "none", "none", "none"], true)).news).toEqual(["gone"]));

test("a revert is the end, and so is another transaction in its place", async () => {
  expect(await followed(["none", "reverted", "none"])).toEqual({ news: ["reverted"], looks: 2 });
  expect((await followed(["replaced", "replaced", "replaced", "none"])).news).toEqual(["replaced"]);
});

test("a receipt that the node is late with is no other transaction", async () =>
  expect((await followed(["replaced", "replaced", "block", "block"])).news).toEqual(["block"]));
