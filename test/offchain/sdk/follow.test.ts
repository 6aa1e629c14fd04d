import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { expect, it, vi } from "vitest";
import { follow } from "#offchain/sdk/follow.ts";
import { openDoor } from "../doors/http/door.ts";
import { cursorAt, MemoryFeed } from "../doors/http/streams/feedEvents.ts";

const names = (count: number) => Array.from({ length: count }, (_, at) => `e${at + 1}`);

/** The cursors of the next so many changes. */
async function take(feed: ReturnType<typeof follow>, count: number): Promise<string[]> {
  const cursors: string[] = [];
  while (cursors.length < count) {
    const { value } = await feed.next();
    if (value.change !== "confirmed") cursors.push(value.cursor);
  }
  return cursors;
}

vi.setConfig({ testTimeout: 60_000 });

it("gives out every change once, in order, and how far it is confirmed", async () => {
  const events = new MemoryFeed();
  events.add(...names(250));
  await using door = await openDoor({ events });
  const feed = follow({ url: door.url });
  expect(await take(feed, 250)).toEqual(names(250).map((_, at) => cursorAt(at + 1)));
  expect((await feed.next()).value).toEqual({ change: "confirmed", confirmedTo: "0", cursor: cursorAt(250) });
  events.add("late");
  expect(await take(feed, 1)).toEqual([cursorAt(251)]);
  await feed.return(undefined as never);
});

it("begins behind its cursor, and filters", async () => {
  const events = new MemoryFeed();
  events.add("a", "b", "a", "b", "a");
  await using door = await openDoor({ events });
  const feed = follow({ url: door.url, cursor: cursorAt(1), filter: { event: "a" } });
  expect(await take(feed, 2)).toEqual([3, 5].map(cursorAt));
  await feed.return(undefined as never);
});

it("begins with what comes next, if it is told to, and a cursor goes before that", async () => {
  const events = new MemoryFeed();
  events.add(...names(250));
  await using door = await openDoor({ events });
  const feed = follow({ url: door.url, from: "now" });
  expect((await feed.next()).value).toMatchObject({ change: "confirmed", cursor: cursorAt(250) });
  events.add("late");
  expect(await take(feed, 1)).toEqual([cursorAt(251)]);
  await feed.return(undefined as never);
  const resumed = follow({ url: door.url, from: "now", cursor: cursorAt(249) });
  expect(await take(resumed, 2)).toEqual([250, 251].map(cursorAt));
  await resumed.return(undefined as never);
});

it("comes back to where it was when its connection is cut anywhere, without a gap or a repeat", async () => {
  const events = new MemoryFeed();
  events.add(...names(500));
  await using door = await openDoor({ events });
  let connections = 0;
  // Stands between, and cuts each connection after some bytes.
  const between = createTcpServer((near) => {
    connections += 1;
    const far = connect(door.port, "127.0.0.1");
    let left = 3_000 + connections * 777;
    for (const socket of [near, far]) socket.on("error", () => socket.destroy());
    near.pipe(far);
    far.on("data", (chunk) => {
      near.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) near.resetAndDestroy();
    });
    near.on("close", () => far.destroy());
  });
  await new Promise<void>((done) => between.listen(0, "127.0.0.1", done));
  const feed = follow({ url: `http://127.0.0.1:${(between.address() as AddressInfo).port}` });
  expect(await take(feed, 500)).toEqual(names(500).map((_, at) => cursorAt(at + 1)));
  expect(connections).toBeGreaterThan(2);
  await feed.return(undefined as never);
  between.close();
});

it("goes on after the service failed inside, and after it was stopped and started again", async () => {
  const events = new MemoryFeed();
  events.add("one");
  const door = await openDoor({ events });
  const feed = follow({ url: door.url });
  await take(feed, 1);
  events.failure = new Error("out of order");
  events.add("two");
  expect(await take(feed, 1)).toEqual([cursorAt(2)]);
  await door.close();
  events.add("three");
  const waiting = take(feed, 1);
  await using again = await openDoor({ events, environment: { BURSAR_PORT: String(door.port) } });
  expect(again.port).toBe(door.port);
  expect(await waiting).toEqual([cursorAt(3)]);
  await feed.return(undefined as never);
});

it("gives up a connection that says nothing, and asks again", async () => {
  const events = new MemoryFeed();
  events.add("one");
  await using door = await openDoor({ events });
  let asked = 0;
  const dumb = createServer((_, response) => {
    asked += 1;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": open\n\n");
  });
  await new Promise<void>((done) => dumb.listen(0, "127.0.0.1", done));
  const dumbUrl = `http://127.0.0.1:${(dumb.address() as AddressInfo).port}`;
  // The second connection goes to the service.
  const feed = follow({
    url: dumbUrl,
    silenceMs: 100,
    fetch: (url, init) =>
      fetch(String(url).replace(asked > 0 ? dumbUrl : "", asked > 0 ? door.url : ""), init),
  });
  expect(await take(feed, 1)).toEqual([cursorAt(1)]);
  await feed.return(undefined as never);
  dumb.closeAllConnections();
  dumb.close();
});

it("throws what another try cannot mend, and its signal's reason", async () => {
  await using door = await openDoor({ events: new MemoryFeed() });
  await expect(follow({ url: door.url, cursor: cursorAt(77) }).next()).rejects.toMatchObject({
    code: "FEED_ENDED",
  });
  const ending = new AbortController();
  const feed = follow({ url: door.url, signal: ending.signal });
  await feed.next();
  const next = feed.next();
  ending.abort(new Error("enough"));
  await expect(next).rejects.toThrow("enough");
});
