import { connect } from "node:net";
import { expect, it, vi } from "vitest";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { readServerSentEvents, type ServerSentEvent } from "#offchain/sdk/http/serverSentEvents.ts";
import { eventually } from "../../../support/eventually.ts";
import { account, ask, chainId, openDoor } from "../door.ts";
import { cursorAt, MemoryFeed } from "./feedEvents.ts";

const path = "/api/v1/events/stream";

async function open(
  url: string,
  options: { path?: string; query?: string; lastEventId?: string; headers?: Record<string, string> } = {},
) {
  const ending = new AbortController();
  const response = await fetch(`${url}${options.path ?? path}${options.query ?? ""}`, {
    headers: {
      ...options.headers,
      ...(options.lastEventId !== undefined && { "last-event-id": options.lastEventId }),
    },
    signal: ending.signal,
  });
  if (!response.body) throw new Error("no stream");
  let chunks = 0;
  const events = readServerSentEvents(response.body, () => {
    chunks += 1;
  });
  return {
    status: response.status,
    chunks: () => chunks,
    /** The next event; null at the end. */
    async next(): Promise<ServerSentEvent | null> {
      for (;;) {
        const { value, done } = await events.next();
        if (done) return null;
        if (value.data !== "") return value;
      }
    },
    /** The next block, also one that only moves the place on. */
    nextBlock: async () => (await events.next()).value,
    end: () => ending.abort(),
  };
}

const readers = async (url: string) =>
  /^bursar_stream_clients (\d+)/m.exec(String((await ask(url, "/metrics")).body.text))?.[1];

vi.setConfig({ testTimeout: 60_000 });

it("tells what is new, under its cursor, as it happens, and then up to where it is confirmed", async () => {
  const events = new MemoryFeed();
  await using door = await openDoor({ events });
  events.add("one");
  const reader = await open(door.url);
  expect(await reader.next()).toMatchObject({ id: cursorAt(1), event: "added" });
  expect(await reader.next()).toEqual({ id: null, event: "confirmed", data: '{"confirmedTo":"0"}' });
  events.add("two");
  expect(await reader.next()).toMatchObject({ id: cursorAt(2), event: "added" });
  reader.end();
});

it("beats while nothing happens, also when blocks come by", async () => {
  const events = new MemoryFeed();
  await using door = await openDoor({ events, environment: { BURSAR_STREAM_HEARTBEAT_MS: "200" } });
  const reader = await open(door.url);
  await reader.next();
  const before = reader.chunks();
  const reading = reader.next();
  // Every wake is a block with nothing in it: none of them is told, so there are many of them to a beat.
  let blocks = 0;
  for (; reader.chunks() < before + 2; blocks += 1) {
    events.wake();
    await new Promise((done) => setImmediate(done));
  }
  expect(blocks).toBeGreaterThan(500);
  events.add("one");
  expect(await reading).toMatchObject({ id: cursorAt(1) });
  reader.end();
});

it("moves the client's place on while its filter matches nothing", async () => {
  const events = new MemoryFeed();
  await using door = await openDoor({ events, environment: { BURSAR_STREAM_HEARTBEAT_MS: "100" } });
  events.add("other", "other");
  const reader = await open(door.url, { query: "?event=wanted" });
  expect(await reader.nextBlock()).toMatchObject({ id: cursorAt(2), data: "" });
  expect(await reader.nextBlock()).toMatchObject({ event: "confirmed" });
  events.add("other");
  expect(await reader.nextBlock()).toMatchObject({ id: cursorAt(3), data: "" });
  expect(events.asked.slice(2).every(({ cursor }) => cursor !== null)).toBe(true);
  reader.end();
});

it("asks for no more than a page for a client that does not read", async () => {
  const events = new MemoryFeed();
  const long = "e".repeat(20_000);
  events.add(...Array.from({ length: 10_000 }, () => long));
  await using door = await openDoor({ events });
  const socket = connect(door.port, "127.0.0.1");
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await eventually(() => events.asked.length).toBeGreaterThan(1);
  // 200 MB wait for it; what the sockets' buffers do not take is not read from the feed.
  const settled = async () => {
    const before = events.asked.length;
    for (let at = 0; at < 20; at += 1) await ask(door.url, "/health");
    return events.asked.length === before;
  };
  await eventually(settled).toBe(true);
  expect(events.asked.length).toBeLessThan(20);
  // It reads on: the feed is read on, too.
  const stalledAt = events.asked.length;
  socket.resume();
  await eventually(() => events.asked.length).toBeGreaterThan(stalledAt);
  socket.destroy();
  await eventually(() => readers(door.url)).toBe("0");
});

it("refuses more readers than it may hold, and a reader that is refused takes no place", async () => {
  const events = new MemoryFeed();
  await using door = await openDoor({ events, environment: { BURSAR_STREAM_CLIENTS_MAX: "1" } });
  expect((await open(door.url, { lastEventId: cursorAt(99) })).status).toBe(410);
  const reader = await open(door.url);
  expect([reader.status, (await open(door.url)).status]).toEqual([200, 503]);
  reader.end();
  // Its leaving is noticed when the wait for something new is over.
  await eventually(() => readers(door.url)).toBe("0");
  expect((await open(door.url)).status).toBe(200);
});

it("ends its streams when the door closes, and refuses new ones", async () => {
  const events = new MemoryFeed();
  await using door = await openDoor({ events });
  const reader = await open(door.url);
  expect(await reader.next()).toMatchObject({ event: "confirmed" });
  const ended = reader.next();
  await door.http.drain();
  expect(await ended).toBeNull();
  expect((await open(door.url)).status).toBe(503);
});

it("logs what fails inside, tells the client only that it failed, and ends the stream", async () => {
  const events = new MemoryFeed();
  await using door = await openDoor({ events });
  const reader = await open(door.url);
  expect(await reader.next()).toMatchObject({ event: "confirmed" });
  events.failure = new Error("column does not exist");
  events.wake();
  // The page in hand is still answered; the next one fails.
  events.add("one");
  expect(await reader.next()).toMatchObject({ event: "added" });
  expect(await reader.next()).toEqual({ id: null, event: "error", data: '{"error_code":"INTERNAL"}' });
  expect(await reader.next()).toBeNull();
  expect(door.log.join()).toContain("column does not exist");
  expect(await readers(door.url)).toBe("0");
});

it("is not to be had while the events have a price, and says which call is paid", async () => {
  const events = new MemoryFeed();
  events.add("one");
  await using door = await openDoor({ events, prices: '{"events.list":"0.01"}' });
  expect((await ask(door.url, "/api/v1/events")).status).toBe(402);
  expect(await ask(door.url, path)).toMatchObject({
    status: 403,
    body: { error_code: "FORBIDDEN", facts: { action: "events.list" } },
  });
  expect(events.asked).toEqual([]);
});

it("tells of one chain only, and lets in who has signed for that one", async () => {
  const [events, others] = [new MemoryFeed(), new MemoryFeed()];
  events.add("here");
  others.add("there");
  await using door = await openDoor({ events, otherEvents: new Map([[4, others]]) });
  const onChain = (id: number | string) => `/api/v1/chains/${id}/events/stream`;
  for (const [streamed, event] of [
    [path, "here"],
    [onChain(chainId), "here"],
    [onChain(4), "there"],
  ] as const) {
    const reader = await open(door.url, { path: streamed });
    expect(await reader.next()).toMatchObject({ event: "added", data: expect.stringContaining(event) });
    reader.end();
  }
  const asked = others.asked.length;
  for (const id of [5, "x"])
    expect((await ask(door.url, onChain(id))).body).toMatchObject({ error_code: "NETWORK_MISMATCH" });
  const signedFor = async (chain: number) =>
    signRequests(
      account("ada"),
      chain,
      () => door.time.now,
    )({
      method: "GET",
      path: onChain(4),
      body: "",
      origin: door.url,
    });
  expect(await ask(door.url, onChain(4), { headers: await signedFor(chainId) })).toMatchObject({
    status: 401,
    body: { error_code: "SIGNATURE_INVALID" },
  });
  expect(others.asked.length).toBe(asked);
  const reader = await open(door.url, { path: onChain(4), headers: await signedFor(4) });
  expect(reader.status).toBe(200);
  reader.end();
});
