import { describe, expect, test } from "vitest";
import { Pace } from "#offchain/platform/chain/indexer/pace.ts";

describe("the pace of a backfill", () => {
  test("says what share is done and how long the rest takes", () => {
    const pace = new Pace();
    pace.stepped({ blocks: 100, events: 4_000, tookMs: 1_000 }, 1_000);
    pace.stepped({ blocks: 100, events: 2_000, tookMs: 1_000 }, 2_000);
    expect(pace.progress({ firstBlock: 1, indexedTo: 200, head: 800 }, 2_000)).toEqual({
      share: 0.25,
      blocksPerSecond: 100,
      eventsPerSecond: 3_000,
      etaMs: 6_000,
    });
  });

  test("slows down while nothing comes", () => {
    const pace = new Pace();
    pace.stepped({ blocks: 100, events: 0, tookMs: 1_000 }, 1_000);
    expect(pace.progress({ firstBlock: 1, indexedTo: 100, head: 200 }, 10_000).blocksPerSecond).toBe(10);
  });

  test("forgets, and then knows no time", () => {
    const pace = new Pace();
    pace.stepped({ blocks: 100, events: 5, tookMs: 1_000 }, 1_000);
    expect(pace.progress({ firstBlock: 1, indexedTo: 100, head: 200 }, 60_000)).toEqual({
      share: 0.5,
      blocksPerSecond: 0,
      eventsPerSecond: 0,
      etaMs: null,
    });
  });

  test("is done at the head, also of a chain that has not reached the first block", () => {
    const pace = new Pace();
    for (const place of [
      { firstBlock: 1, indexedTo: 9, head: 9 },
      { firstBlock: 100, indexedTo: 99, head: 9 },
    ])
      expect(pace.progress(place, 1_000)).toMatchObject({ share: 1, etaMs: 0 });
  });
});
