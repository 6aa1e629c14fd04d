import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, test, vi } from "vitest";
import { ask, openDoor, post } from "./door.ts";
import { MemoryFeed } from "./streams/feedEvents.ts";

/** What the door says to these bytes, until it hangs up. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(request);
  return text(socket);
}

const upgrading = "host: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n";
const stream = "/api/v1/micropayments/stream";

it.each(["TRACE", "PROPFIND", "POST", "DELETE", "HEAD", "PURGE", "M-SEARCH"])(
  "a %s for a WebSocket is answered, and the service lives on",
  async (method) => {
    await using door = await openDoor();
    for (const path of [stream, `/api/v1/chains/31337${stream.slice(7)}`, `${stream}?a=%`])
      expect(await raw(door.url, `${method} ${path} HTTP/1.1\r\n${upgrading}\r\n`)).toMatch(
        /^HTTP\/1\.1 4\d\d /,
      );
    expect((await ask(door.url, "/health")).status).toBe(200);
  },
);

it.each([`http://[${stream}`, `http://${stream}`, `//${stream}`, `x:${stream}`])(
  "a WebSocket to no address is refused or ignored, and the service lives on: %s",
  async (target) => {
    await using door = await openDoor();
    expect(await raw(door.url, `GET ${target} HTTP/1.1\r\n${upgrading}connection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
    expect((await ask(door.url, "/health")).status).toBe(200);
  },
);

const limited = { BURSAR_RATE_EXEMPT_IPS: "none", BURSAR_TRUSTED_PROXIES: "127.0.0.1,::ffff:127.0.0.1" };
const from = (ip: string) => ({ headers: { "x-forwarded-for": ip } });

test("bodies that never come take one address's share, and nobody else's", async () => {
  await using door = await openDoor({ environment: { ...limited, BURSAR_HTTP_IN_FLIGHT_PER_IP_MAX: "5" } });
  const slow = Array.from({ length: 20 }, () => {
    const socket = connect(Number(new URL(door.url).port), "127.0.0.1");
    socket.write(
      "POST /api/v1/payments HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 10.0.0.1\r\n" +
        "content-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    );
    return socket;
  });
  // Those beyond the share are answered at once.
  const answers = await Promise.all(slow.slice(5).map((socket) => once(socket, "data")));
  for (const [answer] of answers) expect(String(answer)).toContain("429");
  expect((await ask(door.url, "/api/v1/agents", from("10.0.0.2"))).status).toBe(200);
  for (const socket of slow) socket.destroy();
});

/** A request of which but one byte of the body is sent, each from an address of its own. */
function halfSent(url: string, at: number) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(
    `POST /api/v1/payments HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 10.1.0.${at}\r\n` +
      "content-type: application/json\r\ncontent-length: 100\r\n\r\n{",
  );
  return socket;
}

test("bodies that never come take no request's place, whoever sends them, and are given up for those that do", async () => {
  await using door = await openDoor({
    environment: { ...limited, BURSAR_HTTP_IN_FLIGHT_MAX: "10", BURSAR_HTTP_BODIES_MAX: "5" },
  });
  const slow = Array.from({ length: 40 }, (_, at) => halfSent(door.url, at));
  // All but the last five are given up, and hung up on.
  const said = await Promise.all(slow.slice(0, 35).map((socket) => text(socket)));
  for (const answer of said) expect(answer).toMatch(/^HTTP\/1\.1 503 .*OVERLOADED/s);
  expect((await ask(door.url, "/api/v1/agents", from("10.0.0.2"))).status).toBe(200);
  expect((await post(door.url, "/api/v1/payments", {}, from("10.0.0.2").headers)).status).toBe(400);
  for (const socket of slow) socket.destroy();
});

test("a body has a deadline of its own", async () => {
  await using door = await openDoor({ environment: { ...limited, BURSAR_BODY_TIMEOUT_MS: "100" } });
  expect(await text(halfSent(door.url, 1))).toMatch(/^HTTP\/1\.1 408 .*BODY_LATE/s);
});

test("a service whose places are all taken is not ready", async () => {
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await using door = await openDoor({
    environment: { ...limited, BURSAR_HTTP_IN_FLIGHT_MAX: "1" },
    pay: async () => {
      await answered;
      return [];
    },
  });
  expect((await ask(door.url, "/ready")).status).toBe(200);
  const paying = post(door.url, "/api/v1/payments", {
    key: "k",
    channelId: `0x${"11".repeat(32)}`,
    network: "eip155:31337",
    maxClaimableAmount: "1",
    signature: `0x${"22".repeat(65)}`,
  });
  await vi.waitFor(async () => expect((await ask(door.url, "/ready")).status).toBe(503));
  answer();
  await paying;
  expect((await ask(door.url, "/ready")).status).toBe(200);
});

test("live streams and event streams share their places, and each address has its part of them", async () => {
  await using door = await openDoor({
    events: new MemoryFeed(),
    environment: { ...limited, BURSAR_STREAM_CLIENTS_MAX: "5", BURSAR_STREAM_CLIENTS_PER_IP_MAX: "2" },
  });
  const ending = new AbortController();
  const open = (path: string, ip: string) =>
    fetch(new URL(path, door.url), { ...from(ip), signal: ending.signal });
  const statuses = async (ip: string, ...paths: string[]) => {
    const answers: number[] = [];
    for (const path of paths) answers.push((await open(path, ip)).status);
    return answers;
  };
  const [live, feed] = ["/api/v1/stream", "/api/v1/events/stream"];
  expect(await statuses("10.0.0.1", live, feed, live, feed)).toEqual([200, 200, 429, 429]);
  expect(await statuses("10.0.0.2", feed, live)).toEqual([200, 200]);
  expect(await statuses("10.0.0.3", live, live)).toEqual([200, 503]);
  ending.abort();
});

test("a batch counts by its vouchers, before they are looked at, and for its own address alone", async () => {
  await using door = await openDoor({
    environment: { ...limited, BURSAR_STREAM_RATE_PER_SECOND: "100", BURSAR_STREAM_RATE_BURST: "250" },
  });
  const batch = (vouchers: number, ip: string) =>
    post(door.url, "/api/v1/payments/batch", { payments: Array(vouchers).fill({}) }, from(ip).headers);
  const codeOf = async (vouchers: number, ip: string) => (await batch(vouchers, ip)).body.error_code;
  expect(await codeOf(200, "10.0.0.1")).toBe("VALIDATION_INVALID_INPUT");
  const { status, body, headers } = await batch(200, "10.0.0.1");
  expect([status, body.error_code, headers.get("retry-after")]).toEqual([429, "RATE_LIMITED", "2"]);
  expect(body.facts).toEqual({ ip: "10.0.0.1", perSecond: 100, items: 200, retryAfterMs: 1_500 });
  expect(await codeOf(50, "10.0.0.1"), "a small one is not kept waiting").toBe("VALIDATION_INVALID_INPUT");
  expect(await codeOf(200, "10.0.0.2")).toBe("VALIDATION_INVALID_INPUT");
});

test("requests that wait for something new take nobody's place; too many of them are answered at once", async () => {
  const events = new MemoryFeed();
  await using door = await openDoor({
    events,
    environment: {
      ...limited,
      BURSAR_HTTP_IN_FLIGHT_MAX: "2",
      BURSAR_HTTP_IN_FLIGHT_PER_IP_MAX: "2",
      BURSAR_STREAM_CLIENTS_MAX: "6",
      BURSAR_STREAM_CLIENTS_PER_IP_MAX: "3",
    },
  });
  let answered = 0;
  const poll = async (ip: string) => {
    const { status } = await ask(door.url, "/api/v1/events?waitMs=20000", from(ip));
    answered += 1;
    return status;
  };
  const polls: Promise<number>[] = [];
  // Three of each address wait; the fourth does not.
  for (const ip of ["10.0.0.1", "10.0.0.2"])
    for (let at = 0; at < 4; at += 1) {
      const before = events.asked.length;
      polls.push(poll(ip));
      await vi.waitFor(() => expect(events.asked.length).toBe(before + 1));
    }
  await vi.waitFor(() => expect(answered).toBe(2));
  expect(events.asked.map(({ waitMs }) => waitMs)).toEqual([
    20_000, 20_000, 20_000, 0, 20_000, 20_000, 20_000, 0,
  ]);
  expect((await ask(door.url, "/api/v1/agents", from("10.0.0.3"))).status).toBe(200);
  expect((await ask(door.url, "/ready")).status).toBe(200);
  events.wake();
  expect(await Promise.all(polls)).toEqual(Array(8).fill(200));
});

/** A door at which some wait for something new, and are never told of any. */
async function openWaiting() {
  const events = new MemoryFeed();
  const door = await openDoor({
    events,
    environment: { ...limited, BURSAR_STREAM_CLIENTS_MAX: "4", BURSAR_STREAM_CLIENTS_PER_IP_MAX: "3" },
  });
  /** @returns the answer's status, once the request waits */
  const wait = async (ip: string, signal?: AbortSignal): Promise<{ answer: Promise<number> }> => {
    const before = events.asked.length;
    const url = new URL("/api/v1/events?waitMs=20000", door.url);
    const answer = fetch(url, { ...from(ip), ...(signal && { signal }) }).then(({ status }) => status);
    answer.catch(() => {});
    await vi.waitFor(() => expect(events.asked.length).toBe(before + 1));
    return { answer };
  };
  return { door, events, wait };
}

test("a request that waits is answered at once when the service stops", async () => {
  const { door, wait } = await openWaiting();
  const { answer } = await wait("10.0.0.1");
  await door[Symbol.asyncDispose]();
  expect(await answer).toBe(200);
});

test("a request that waits gives its place back when its client hangs up", async () => {
  const { door, events, wait } = await openWaiting();
  await using _ = door;
  const leaving = new AbortController();
  for (let at = 0; at < 3; at += 1) await wait("10.0.0.1", leaving.signal);
  leaving.abort();
  await vi.waitFor(async () => {
    await wait("10.0.0.1");
    expect(events.asked.at(-1)?.waitMs).toBe(20_000);
  });
});

test("when all wait that may, the address of which most wait has its oldest answered for another", async () => {
  const { door, events, wait } = await openWaiting();
  await using _ = door;
  const answers = [];
  for (let at = 0; at < 3; at += 1) answers.push((await wait("10.0.0.1")).answer);
  await wait("10.0.0.2");
  await wait("10.0.0.3");
  expect(events.asked.at(-1)?.waitMs).toBe(20_000);
  expect(await answers[0]).toBe(200);
});
