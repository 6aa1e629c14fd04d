import { expect, test } from "vitest";
import { freshness, isSilent } from "@/lib/live/freshness.ts";

const now = 1_800_000_000_000;
const chain = { chainId: 31337, head: "1204", indexedTo: "1204", runId: 1, indexedAt: now - 3_000 };
const heard = { answeredAt: now - 2_000, watchedSince: now - 60_000, isLost: false };

test("says to which block and how long ago", () => {
  const { level, lead, words } = freshness(chain, heard, "live", now);
  expect([level, lead + words]).toEqual(["fresh", "Indexed to block 1,204 · 3 s ago"]);
});
test("a quiet chain is not stale", () =>
  expect(freshness({ ...chain, indexedAt: now - 3_600_000 }, heard, "live", now).level).toBe("fresh"));
test("blocks that are long not indexed are named", () => {
  const state = freshness({ ...chain, head: "1210", indexedAt: now - 20_000 }, heard, "live", now);
  expect(state).toMatchObject({ level: "stale", words: "block 1,204, 6 blocks behind" });
});
test("a frozen service is red after ten seconds, though its last answer was fresh and its stream is open", () => {
  const frozen = { ...heard, answeredAt: now - 32_000 };
  const state = freshness(chain, frozen, "live", now);
  expect(state.level).toBe("lost");
  expect(state.lead, "what may be left out says nothing of it").toBe("");
  expect(state.words).toMatch(/^No answer for 32 s; figures as of \d\d:\d\d:\d\d$/);
});
test("a refusing service is lost at once; one that never answered has no figures", () => {
  expect(freshness(chain, { ...heard, isLost: true }, "polling", now).level).toBe("lost");
  const never = { answeredAt: 0, watchedSince: now - 11_000, isLost: false };
  expect(freshness(undefined, never, "connecting", now).words).toBe("Service does not answer");
  expect(freshness(undefined, { ...never, watchedSince: now - 500 }, "connecting", now).level).toBe(
    "waiting",
  );
});
test("what a hidden page did not ask is nobody's silence", () => {
  const hidden = { answeredAt: now - 3_600_000, watchedSince: now - 1_000 };
  expect(isSilent(hidden, now)).toBe(false);
  expect(isSilent({ ...hidden, watchedSince: now - 11_000 }, now)).toBe(true);
});
test("polling is said", () =>
  expect(freshness(chain, heard, "polling", now).title).toContain("polling every 3 s"));
