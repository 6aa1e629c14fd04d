import { describe, expect, it } from "vitest";
import type { ChainStatus } from "#offchain/platform/chain/port.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { ProgressTeller, progressText } from "#offchain/platform/observe/progress.ts";

const backfilling: ChainStatus = {
  chainId: 31337,
  runId: 1n,
  state: "backfilling",
  head: 10_000n,
  indexedTo: 4_200n,
  finalTo: 4_136n,
  lagBlocks: 5_800,
  lagMs: 60_000,
  progress: { share: 0.42, blocksPerSecond: 480, eventsPerSecond: 98_000, etaMs: 12_083 },
  problem: null,
};
const live: ChainStatus = { ...backfilling, state: "live", indexedTo: 10_000n, lagBlocks: 0 };

function teller(isTTY: boolean) {
  const clock = { time: 1_000, now: () => clock.time };
  const [lines, drawn]: [{ message: string }[], string[]] = [[], []];
  const log = createLog({
    level: "info",
    clock,
    destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
  });
  const terminal = { isTTY, columns: 120, write: (text: string) => drawn.push(text) };
  return { told: new ProgressTeller({ log, clock, terminal }), clock, lines, drawn };
}

describe("a backfill's progress", () => {
  it("is told in one line every few seconds, with its figures, and at its end", () => {
    const { told, clock, lines } = teller(false);
    for (let step = 0; step < 110; step += 1) {
      told.tell(backfilling);
      clock.time += 100;
    }
    told.tell(live);
    expect(lines.map(({ message }) => message)).toEqual([
      progressText(backfilling),
      progressText(backfilling),
      "caught up with the chain",
    ]);
    expect(lines[0]).toMatchObject({ share: 0.42, eventsPerSecond: 98_000, etaMs: 12_083 });
  });

  it("reads as a sentence", () => {
    expect(progressText(backfilling)).toBe(
      "indexing chain 31337: 42 %, block 4,200 of 10,000, 98,000 events/s, 13 s left",
    );
    const unknown = { ...backfilling, progress: { ...backfilling.progress, etaMs: null } };
    expect(progressText(unknown)).toContain("time left unknown");
  });

  it("is a bar on a terminal, which is gone at the end, and nowhere else", () => {
    const { told, drawn } = teller(true);
    told.tell(backfilling);
    expect(drawn[0]).toContain(`${"█".repeat(12)}${"░".repeat(18)} indexing`);
    told.tell(live);
    expect(drawn[1]).toBe(`\r${" ".repeat(120)}\r`);
    const elsewhere = teller(false);
    elsewhere.told.tell(backfilling);
    expect(elsewhere.drawn).toEqual([]);
  });

  it("is not told while the chain is merely followed", () => {
    const { told, clock, lines, drawn } = teller(true);
    for (let step = 0; step < 10; step += 1) {
      told.tell(live);
      clock.time += 10_000;
    }
    expect([...lines, ...drawn]).toEqual([]);
  });
});
