import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { chainSilence, freshness, isSilent } from "@/lib/live/freshness.ts";
import { Heard } from "@/lib/live/heard.ts";
import { refusalOf } from "@/lib/live/hearing.ts";

const now = 1_800_000_000_000;
const chain = {
  chainId: 31337,
  head: "1204",
  indexedTo: "1204",
  runId: 1,
  state: "live" as const,
  indexedAt: now - 3_000,
};
const heard = {
  answeredAt: now - 2_000,
  figuresAt: now - 2_000,
  watchedSince: now - 60_000,
  isLost: false,
  refusal: null,
  chain: undefined,
};

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
  const frozen = { ...heard, answeredAt: now - 32_000, figuresAt: now - 32_000 };
  const state = freshness(chain, frozen, "live", now);
  expect(state.level).toBe("lost");
  expect(state.lead, "what may be left out says nothing of it").toBe("");
  expect(state.words).toMatch(/^No answer for 32 s; figures as of \d\d:\d\d:\d\d$/);
});
test("a refusing service is lost at once; one that never answered has no figures", () => {
  expect(freshness(chain, { ...heard, isLost: true }, "polling", now).level).toBe("lost");
  const never = { ...heard, answeredAt: 0, figuresAt: 0, watchedSince: now - 11_000 };
  expect(freshness(undefined, never, "connecting", now).words).toBe("Service does not answer");
  expect(freshness(undefined, { ...never, watchedSince: now - 500 }, "connecting", now).level).toBe(
    "waiting",
  );
});
test("when only the chain is silent, the service is not said to be", () => {
  const lost = { ...heard, chain, figuresAt: now - 60_000, refusal: "CHAIN_UNAVAILABLE", isLost: true };
  const told = freshness(chain as never, lost, "live", now);
  expect(told.level).toBe("lost");
  expect(told.words).toMatch(
    /^The chain does not answer since \d\d:\d\d:\d\d; payments are taken for a limited time only, proposals and execution wait$/,
  );
  const hour = { ...chain, indexedAt: now - 3_600_000 };
  expect(
    chainSilence({ refusal: "CHAIN_UNAVAILABLE", chain: hour }, now),
    "long after it stopped taking any",
  ).not.toMatch(/go on/);
  const degraded = { ...chain, state: "degraded" as const, indexedAt: now - 6_000 };
  expect(chainSilence({ refusal: null, chain: degraded }, now)).toMatch(/^The chain does not answer since/);
  expect(chainSilence({ refusal: null, chain: { ...degraded, indexedAt: now - 1_000 } }, now)).toBeNull();
  expect(chainSilence({ refusal: null, chain }, now)).toBeNull();
  expect(freshness(chain as never, { ...lost, answeredAt: now - 32_000 }, "live", now).words).toMatch(
    /^No answer/,
  );
  expect(freshness(chain as never, { ...lost, refusal: "INTERNAL" }, "live", now).words).toMatch(
    /^The service refuses the figures; they are as of/,
  );
});
test("every answer is heard, a refusal too, and no answer is not", async () => {
  const service = new Heard();
  const answers = service.fetch(
    async () => new Response("no", { status: 503 }),
    () => 5_999,
  );
  await answers("http://bursar.test");
  expect(service.at()).toBe(5_000);
  const silent = service.fetch(
    () => Promise.reject(new TypeError("fetch failed")),
    () => 9_000,
  );
  await expect(silent("http://bursar.test")).rejects.toThrow("fetch failed");
  expect(service.at()).toBe(5_000);
  expect(refusalOf(new BursarError("CHAIN_UNAVAILABLE", "no"))).toBe("CHAIN_UNAVAILABLE");
  expect(refusalOf(new BursarError("SERVICE_UNREACHABLE", "no"))).toBeNull();
});
test("how far the service's clock is ahead is heard of its answers, and what only trembles is no change", async () => {
  const service = new Heard();
  let drawn = 0;
  service.onChange(() => {
    drawn += 1;
  });
  const hear = async (at: number, browser: number) => {
    const headers = { date: new Date(at).toUTCString() };
    const answer = async () => new Response("yes", { headers });
    await service.fetch(answer, () => browser)("http://bursar.test");
    return service.aheadMs();
  };
  expect(await hear(100_000, 102_500)).toBe(0);
  expect(await hear(200_000, 10_000_500)).toBe(-9_800_000);
  expect(await hear(203_000, 10_004_500)).toBe(-9_800_000);
  expect(await hear(204_000, 204_100), "the browser's clock was set right").toBe(0);
  const said = drawn;
  await service.fetch(
    async () => new Response("yes"),
    () => 205_000,
  )("http://bursar.test");
  expect([service.aheadMs(), drawn]).toEqual([0, said]);
});
test("what a hidden page did not ask is nobody's silence", () => {
  const hidden = { answeredAt: now - 3_600_000, watchedSince: now - 1_000 };
  expect(isSilent(hidden, now)).toBe(false);
  expect(isSilent({ ...hidden, watchedSince: now - 11_000 }, now)).toBe(true);
});
test("polling is said", () =>
  expect(freshness(chain, heard, "polling", now).title).toContain("polling every 3 s"));
