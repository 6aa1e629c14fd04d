import { describe, expect, test } from "vitest";
import { RangeSizer } from "#offchain/platform/chain/indexer/ranges.ts";

const limits = { targetLogs: 1_000, firstBlocks: 100, maxBlocks: 10_000 };

describe("the size of ranges", () => {
  test("grows over empty blocks up to the limit", () => {
    const sizer = new RangeSizer(limits);
    for (let step = 0; step < 20; step++) sizer.succeeded(sizer.blocks, 0);
    expect(sizer.blocks).toBe(10_000);
  });

  test("settles where a range holds the wanted number of logs", () => {
    const sizer = new RangeSizer(limits);
    for (let step = 0; step < 20; step++) sizer.succeeded(sizer.blocks, sizer.blocks * 50);
    expect(sizer.blocks).toBe(20);
  });

  test("halves when the provider refuses, down to one block", () => {
    const sizer = new RangeSizer(limits);
    sizer.failed(sizer.blocks);
    expect(sizer.blocks).toBe(50);
    for (let step = 0; step < 10; step++) sizer.failed(sizer.blocks);
    expect(sizer.blocks).toBe(1);
  });

  test("halves once for ranges that were refused together", () => {
    const sizer = new RangeSizer(limits);
    const { blocks } = sizer;
    for (let range = 0; range < 3; range++) sizer.failed(blocks);
    expect(sizer.blocks).toBe(50);
  });

  test("recovers from a refusal step by step, not at once", () => {
    const sizer = new RangeSizer(limits);
    sizer.failed(sizer.blocks);
    sizer.succeeded(sizer.blocks, 0);
    expect(sizer.blocks).toBeLessThan(70);
    for (let step = 0; step < 100; step++) sizer.succeeded(sizer.blocks, 0);
    expect(sizer.blocks).toBe(10_000);
  });
});
