import { expect, test } from "vitest";
import { freshness } from "@/lib/live/freshness.ts";

const now = 1_800_000_000_000;
const chain = { chainId: 31337, head: "1204", indexedTo: "1204", runId: 1, indexedAt: now - 3_000 };

test("says to which block and how long ago", () => {
  const { level, lead, words } = freshness(chain, false, "live", now);
  expect([level, lead + words]).toEqual(["fresh", "Indexed to block 1,204 · 3 s ago"]);
});
test("a quiet chain is not stale", () =>
  expect(freshness({ ...chain, indexedAt: now - 3_600_000 }, false, "live", now).level).toBe("fresh"));
test("blocks that are long not indexed are named", () => {
  const state = freshness({ ...chain, head: "1210", indexedAt: now - 20_000 }, false, "live", now);
  expect(state).toMatchObject({ level: "stale", words: "block 1,204, 6 blocks behind" });
});
test("a lost service keeps the block of what is shown", () =>
  expect(freshness(chain, true, "polling", now)).toMatchObject({
    level: "lost",
    words: " · shown as of block 1,204",
  }));
test("polling is said", () =>
  expect(freshness(chain, false, "polling", now).title).toContain("polling every 3 s"));
