import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepFresh } from "@/lib/live/live.tsx";
import { Stream } from "@/lib/live/stream.ts";

/** The browser's, opened and fed by hand. */
class Source {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readonly heard = new Map<string, (message: { data: string }) => void>();
  readyState = 0;
  onopen = () => {};
  onerror = () => {};
  constructor() {
    Source.all.push(this);
  }
  addEventListener(type: string, listener: (message: { data: string }) => void) {
    this.heard.set(type, listener);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
}

let queries: QueryClient;
let stream: Stream;
let stop: () => void;
const newest = (): Source => Source.all.at(-1) as Source;
const isOld = (...key: string[]) => queries.getQueryState(key)?.isInvalidated;
const answer = (runId: number) => queries.setQueryData(["overview"], { chain: { runId } });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("document", { visibilityState: "visible" });
  Source.all = [];
  queries = new QueryClient();
  answer(1);
  queries.setQueryData(["proposal", "0x11"], {});
  stream = new Stream("http://bursar.test");
  stop = keepFresh(stream, queries);
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a stream that opens again makes every answer old: what happened meanwhile was told to nobody", () => {
  newest().onopen();
  answer(1);
  queries.setQueryData(["proposal", "0x11"], {});
  newest().onerror();
  expect(isOld("proposal", "0x11")).toBe(false);
  newest().onopen();
  expect(isOld("proposal", "0x11")).toBe(true);
});

test("another run of the chain makes every answer old, the same one none", () => {
  answer(1);
  expect(isOld("proposal", "0x11")).toBe(false);
  answer(2);
  expect(isOld("proposal", "0x11")).toBe(true);
});

test("a stream that is open and silent, while nothing answers either, is live no more and opened anew", () => {
  newest().onopen();
  answer(1);
  vi.advanceTimersByTime(8_000);
  expect(stream.state).toBe("live");
  vi.advanceTimersByTime(5_000);
  expect(stream.state).toBe("polling");
  expect(Source.all).toHaveLength(2);
  vi.advanceTimersByTime(30_000);
  expect(Source.all, "once, until it opens").toHaveLength(2);
});

test("payments make batches old as well", () => {
  for (const key of ["batches", "batch", "payments"]) queries.setQueryData([key], {});
  const data = { count: 1, value: { amount: "1", unit: "USDC" }, perSecond: 1, at: 1 };
  newest().heard.get("payments")?.({ data: JSON.stringify(data) });
  vi.advanceTimersByTime(1_600);
  expect([isOld("batches"), isOld("batch"), isOld("payments")]).toEqual([true, true, true]);
});

test("a block makes old what a freeze, a pause or a claim in it changes; what is read from the chain, every three seconds", () => {
  const keys = ["budgets", "treasury", "wallets", "channels", "simulation"];
  const old = () => keys.filter((key) => isOld(key));
  const block = () =>
    newest().heard.get("block")?.({ data: JSON.stringify({ head: "2", indexedTo: "2", at: 1 }) });
  for (const key of keys) queries.setQueryData([key], {});
  block();
  vi.advanceTimersByTime(1_600);
  expect(old()).toEqual(["wallets", "channels"]);
  vi.advanceTimersByTime(1_500);
  expect(old()).toEqual(keys);

  vi.stubGlobal("document", { visibilityState: "hidden" });
  for (const key of keys) queries.setQueryData([key], {});
  block();
  vi.advanceTimersByTime(9_000);
  expect(old(), "nobody looks at it").toEqual(["wallets", "channels"]);
  vi.stubGlobal("document", { visibilityState: "visible" });
  vi.advanceTimersByTime(3_000);
  expect(old()).toEqual(keys);
});

test.each(["payments", "batch"])("%s move what channels have promised and claimed", (type) => {
  queries.setQueryData(["channels"], {});
  newest().heard.get(type)?.({ data: JSON.stringify({ at: 1 }) });
  vi.advanceTimersByTime(1_600);
  expect(isOld("channels")).toBe(true);
});
