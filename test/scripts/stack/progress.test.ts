import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { beginnings, Teller } from "../../../scripts/stack/progress.ts";

beforeEach(
  () => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "performance"] }),
);
afterEach(() => void vi.useRealTimers());

function output(terminal: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = [];
  return { ...terminal, written, write: (text: string) => void written.push(text) };
}

const takes = (ms: number) => () => new Promise<void>((done) => setTimeout(done, ms));

describe("progress in a file", () => {
  test("says only what began, if it was short", async () => {
    const out = output();
    const work = new Teller(out).during("starting the chain", takes(1_900));
    await vi.advanceTimersByTimeAsync(1_900);
    await work;
    expect(out.written).toEqual(["   0.0 s  starting the chain\n"]);
  });

  test("says every few seconds that long work goes on and where it is, and how long it took", async () => {
    const out = output();
    const work = new Teller(out).during("building", async (at) => {
      at("compiling");
      await takes(11_000)();
    });
    await vi.advanceTimersByTimeAsync(11_000);
    await work;
    expect(out.written).toEqual([
      "   0.0 s  building\n",
      "   5.0 s  … building, compiling (5 s)\n",
      "  10.0 s  … building, compiling (10 s)\n",
      "  11.0 s  building: done in 11 s\n",
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("does not call failed work done, and falls silent", async () => {
    const out = output();
    const work = new Teller(out).during("building", async () => {
      await takes(3_000)();
      throw new Error("no");
    });
    const failing = expect(work).rejects.toThrow("no");
    await vi.advanceTimersByTimeAsync(3_000);
    await failing;
    expect(out.written).toEqual(["   0.0 s  building\n"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("progress on a terminal", () => {
  test("keeps what goes on in the last line, which makes room for others", async () => {
    const out = output({ isTTY: true, columns: 200 });
    const teller = new Teller(out);
    const work = teller.during("building", takes(3_000));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(out.written.at(-1)).toBe("   1.0 s  … building (1 s)");
    out.written.length = 0;
    teller.beside(() => out.write("API\n"));
    expect(out.written).toEqual(["\r\u001b[K", "API\n", "   1.0 s  … building (1 s)"]);
    await vi.advanceTimersByTimeAsync(2_000);
    await work;
    expect(out.written.slice(-2)).toEqual(["\r\u001b[K", "   3.0 s  building: done in 3 s\n"]);
  });

  test("never fills a line, which the terminal would break", async () => {
    const out = output({ isTTY: true, columns: 20 });
    const work = new Teller(out).during("building the whole dashboard", takes(1_000));
    await vi.advanceTimersByTimeAsync(1_000);
    await work;
    const drawn = out.written.filter((text) => text.includes("…"));
    expect(drawn.length).toBeGreaterThan(0);
    for (const text of drawn) expect(text.length).toBeLessThan(20);
  });
});

test("beginnings tells only what begins", async () => {
  const said: string[] = [];
  const progress = beginnings((what) => said.push(what));
  expect(await progress.during("one", async () => 1)).toBe(1);
  progress.say("two");
  expect(said).toEqual(["one", "two"]);
});
