import { once } from "node:events";
import { request } from "node:http";
import { expect, it, vi } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import type { Micropayments, PaymentRequest, Receipt } from "#offchain/features/payments/service.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { openPaymentStream } from "#offchain/sdk/paymentStream.ts";
import { eventually } from "../../../support/eventually.ts";
import { accepted, account, ask, chainId, openDoor, post } from "../door.ts";

const path = "/api/v1/micropayments/stream";
const ada = account("ada");

const channel = (number: number) => `0x${number.toString(16).padStart(64, "0")}`;
const payment = (key: string, channelId = channel(1)) => ({
  key,
  channelId,
  network: "eip155:31337",
  maxClaimableAmount: "100",
  signature: `0x${"22".repeat(65)}`,
});

/** As much of a receipt as the door looks at: nothing. */
const receipt = ({ key, channelId }: PaymentRequest) => ({ key, channelId }) as Receipt;
const acceptAll: Micropayments["pay"] = async (payments) => payments.map((sent) => accepted(receipt(sent)));

interface Answer {
  id: string | null;
  receipt?: { key: string };
  error?: { error_code: string; validation_errors: { field: string }[]; facts: object; request_id: string };
}

/** A client that keeps every message; the first one is the service's greeting. */
async function connect(url: string, headers: Record<string, string> = {}, options: ClientOptions = {}) {
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers, ...options });
  const messages: unknown[] = [];
  socket.on("message", (data) => messages.push(JSON.parse(String(data))));
  const closed = once(socket, "close").then(([code, reason]) => ({ code, reason: String(reason) }));
  await once(socket, "open");
  await eventually(() => messages.length).toBeGreaterThan(0);
  return {
    socket,
    closed,
    greeting: messages[0] as { window: number; messageLimitBytes: number },
    send: (message: unknown) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    answers: () => messages.slice(1) as Answer[],
    async until(count: number) {
      await eventually(() => messages.length - 1).toBe(count);
      return messages.slice(1) as Answer[];
    },
  };
}

/** The status and body of a refused handshake. */
async function refusedHandshake(url: string, headers: Record<string, string> = {}) {
  const asked = request(`${url}${path}`, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
      ...headers,
    },
  }).end();
  const [response] = await once(asked, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

vi.setConfig({ testTimeout: 60_000 });

it("tells its window, and answers each voucher under the client's id", async () => {
  await using door = await openDoor({ pay: acceptAll });
  const client = await connect(door.url);
  expect(client.greeting).toEqual({ window: 256, messageLimitBytes: 16_384 });
  for (const id of ["a", "b"]) client.send({ id, payment: payment(`key-${id}`) });
  expect(await client.until(2)).toMatchObject([
    { id: "a", receipt: { key: "key-a" } },
    { id: "b", receipt: { key: "key-b" } },
  ]);
  client.socket.close();
});

it("refuses a voucher by the same error as POST does", async () => {
  await using door = await openDoor();
  const client = await connect(door.url, { "x-request-id": "abc-1" });
  client.send({ id: "1", payment: payment("k1") });
  const bad = { ...payment("k2"), channelId: "0x12", maxClaimableAmount: "-1" };
  client.send({ id: "2", payment: bad });
  const answers = await client.until(2);
  for (const [id, sent] of [
    ["1", payment("k1")],
    ["2", bad],
  ] as const) {
    const posted = await post(door.url, "/api/v1/payments", sent, { "x-request-id": "abc-1" });
    expect(answers.find((answer) => answer.id === id)?.error).toEqual(posted.body);
  }
  client.socket.close();
});

it("refuses what is no message by name, changes nothing by it and goes on", async () => {
  await using door = await openDoor({ pay: acceptAll });
  const client = await connect(door.url);
  client.send("{");
  client.send("[]");
  client.send('"text"');
  client.socket.send(Buffer.from(JSON.stringify({ id: "x", payment: payment("k") })));
  client.send({ payment: payment("k") });
  client.send({ id: "y" });
  client.send({ id: "z".repeat(65), payment: payment("k") });
  const answers = await client.until(7);
  expect(answers.map(({ id, error }) => [id, error?.error_code])).toEqual([
    [null, "BODY_MALFORMED"],
    [null, "VALIDATION_INVALID_INPUT"],
    [null, "VALIDATION_INVALID_INPUT"],
    [null, "CONTENT_TYPE_UNSUPPORTED"],
    [null, "VALIDATION_INVALID_INPUT"],
    ["y", "VALIDATION_INVALID_INPUT"],
    ["z".repeat(64), "VALIDATION_INVALID_INPUT"],
  ]);
  expect(door.payments).toEqual([]);
  client.send({ id: "good", payment: payment("k") });
  expect((await client.until(8)).at(-1)).toMatchObject({ id: "good", receipt: { key: "k" } });
  client.socket.close();
});

it("ends the stream of a client whose message is above the limit", async () => {
  await using door = await openDoor({ pay: acceptAll });
  const client = await connect(door.url);
  client.send("x".repeat(16_385));
  expect(await client.closed).toMatchObject({ code: 1009 });
});

it("refuses an id that is in use, and leaves the first voucher of that id alone", async () => {
  let finish = () => {};
  const isFinished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await using door = await openDoor({ pay: (sent) => isFinished.then(() => acceptAll(sent, null)) });
  const client = await connect(door.url);
  client.send({ id: "same", payment: payment("first") });
  client.send({ id: "same", payment: payment("second") });
  expect(await client.until(1)).toMatchObject([
    { id: "same", error: { error_code: "VALIDATION_INVALID_INPUT", facts: { id: "same" } } },
  ]);
  finish();
  expect((await client.until(2)).at(-1)).toMatchObject({ receipt: { key: "first" } });
  client.socket.close();
});

it("books a channel's vouchers in order, and lets no channel wait for another's", async () => {
  const running = new Map<string, () => void>();
  const booked: string[][] = [];
  await using door = await openDoor({
    async pay(sent) {
      booked.push(sent.map(({ key }) => key));
      await new Promise<void>((resolve) => running.set(sent[0]?.channelId ?? "", resolve));
      return acceptAll(sent, null);
    },
  });
  const client = await connect(door.url);
  client.send({ id: "1", payment: payment("slow-1", channel(1)) });
  await eventually(() => booked.length).toBe(1);
  client.send({ id: "2", payment: payment("slow-2", channel(1)) });
  client.send({ id: "3", payment: payment("fast", channel(2)) });
  client.send({ id: "4", payment: payment("slow-3", channel(1)) });
  await eventually(() => booked.length).toBe(2);
  running.get(channel(2))?.();
  expect((await client.until(1)).map(({ id }) => id)).toEqual(["3"]);
  running.get(channel(1))?.();
  await eventually(() => booked).toEqual([["slow-1"], ["fast"], ["slow-2", "slow-3"]]);
  running.get(channel(1))?.();
  expect((await client.until(4)).map(({ id }) => id)).toEqual(["3", "1", "2", "4"]);
  client.socket.close();
});

it("reads no more than its window while nothing is answered, and goes on when it is", async () => {
  let finish = () => {};
  const isFinished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await using door = await openDoor({
    environment: { BURSAR_PAYMENT_STREAM_WINDOW: "10" },
    pay: (sent) => isFinished.then(() => acceptAll(sent, null)),
  });
  const client = await connect(door.url);
  // Far more than the sockets' own buffers and one read of the window hold.
  const count = 1_500;
  const padding = " ".repeat(15_000);
  for (let at = 0; at < count; at += 1)
    client.socket.send(JSON.stringify({ id: String(at), payment: payment(`k${at}`, channel(at)) }) + padding);
  await eventually(() => door.payments.length).toBeGreaterThanOrEqual(10);
  // Whatever else could be read has its chance: each of these goes through the same loop.
  for (let at = 0; at < 20; at += 1) await ask(door.url, "/health");
  // What one read of the socket brought beyond the window is in memory already: 64 KiB at most.
  expect(door.payments.length).toBeLessThan(50);
  expect(client.socket.bufferedAmount).toBeGreaterThan(0);
  finish();
  const answers = await client.until(count);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(count);
  client.socket.close();
});

it("keeps no more than its window for a client that does not read, and ends its stream", async () => {
  await using door = await openDoor({
    environment: { BURSAR_STREAM_HEARTBEAT_MS: "300" },
    pay: async (payments) =>
      payments.map((sent) => accepted({ ...receipt(sent), reference: "r".repeat(16_000) })),
  });
  const client = await connect(door.url);
  client.socket.pause();
  const count = 5_000;
  for (let at = 0; at < count; at += 1)
    client.send({ id: String(at), payment: payment(`k${at}`, channel(at)) });
  const open = async () =>
    /^bursar_payment_streams (\d+)/m.exec(String((await ask(door.url, "/metrics")).body.text))?.[1];
  await eventually(open).toBe("0");
  // The sockets' buffers hold a few megabytes of answers, the service a window of them.
  expect(door.payments.length).toBeLessThan(count / 2);
  client.socket.terminate();
});

it("ends the stream of a client that gives no sign of life, and keeps one that does", async () => {
  await using door = await openDoor({ environment: { BURSAR_STREAM_HEARTBEAT_MS: "300" } });
  const alive = await connect(door.url);
  const dead = await connect(door.url, {}, { autoPong: false });
  let pings = 0;
  alive.socket.on("ping", () => {
    pings += 1;
  });
  dead.socket.pong = () => {};
  Object.assign(dead.socket as unknown as { _autoPong: boolean }, { _autoPong: false });
  expect(await dead.closed).toMatchObject({ code: 1006 });
  await eventually(() => pings).toBeGreaterThan(3);
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
  alive.socket.close();
});

it("answers what it took in when the door closes, and refuses what comes then", async () => {
  let finish = () => {};
  const isFinished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await using door = await openDoor({ pay: (sent) => isFinished.then(() => acceptAll(sent, null)) });
  const client = await connect(door.url);
  client.send({ id: "before", payment: payment("k1") });
  await eventually(() => door.payments.length).toBe(1);
  const drained = door.http.drain();
  expect((await refusedHandshake(door.url)).body.error_code).toBe("SHUTTING_DOWN");
  client.send({ id: "after", payment: payment("k2") });
  expect(await client.until(1)).toMatchObject([{ id: "after", error: { error_code: "SHUTTING_DOWN" } }]);
  finish();
  await drained;
  expect(client.answers().at(-1)).toMatchObject({ id: "before", receipt: { key: "k1" } });
  expect(await client.closed).toEqual({ code: 1001, reason: "SHUTTING_DOWN" });
});

it("tells each of the vouchers when booking them failed, and says nothing of the inside", async () => {
  await using door = await openDoor({ pay: () => Promise.reject(new Error("disk of /var/lib is full")) });
  const client = await connect(door.url);
  for (const id of ["1", "2"]) client.send({ id, payment: payment(id) });
  const answers = await client.until(2);
  expect(answers.map(({ error }) => error?.error_code)).toEqual(["INTERNAL", "INTERNAL"]);
  expect(JSON.stringify(answers)).not.toContain("disk");
  expect(door.log.join()).toContain("disk of /var/lib is full");
  client.socket.close();
});

it("lets in who may POST, and nobody else", async () => {
  await using door = await openDoor({
    environment: { BURSAR_PAYMENT_STREAMS_MAX: "2", BURSAR_CORS_ORIGINS: "https://good.example" },
    pay: acceptAll,
  });
  const authorize = signRequests(ada, chainId, () => door.time.now);
  const signed = await authorize({ method: "GET", path, body: "", origin: door.url });
  expect((await ask(door.url, path)).body.error_code).toBe("UPGRADE_REQUIRED");
  const wrongPath = await authorize({ method: "GET", path: "/other", body: "", origin: door.url });
  for (const headers of [wrongPath, { authorization: "Bearer x" }])
    expect(await refusedHandshake(door.url, headers)).toMatchObject({
      status: 401,
      body: { error_code: "SIGNATURE_INVALID" },
    });
  expect(await refusedHandshake(door.url, { origin: "https://bad.example" })).toMatchObject({
    status: 403,
    body: { error_code: "FORBIDDEN" },
  });
  const first = await connect(door.url, signed);
  const second = await connect(door.url, { origin: "https://good.example" });
  expect(await refusedHandshake(door.url)).toMatchObject({ status: 503, body: { error_code: "OVERLOADED" } });
  first.socket.close();
  await first.closed;
  second.socket.close();
});

it("answers a channel that is quick before one that came with it and is slow", async () => {
  let finish = () => {};
  const isFinished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await using door = await openDoor({
    pay: async (...sent) => {
      if (sent[0].some(({ channelId }) => channelId === channel(1))) await isFinished;
      return acceptAll(...sent);
    },
  });
  const client = await connect(door.url);
  for (const [at, number] of [1, 2, 1, 3].entries())
    client.send({ id: `${number}-${at}`, payment: payment(`k${number}`, channel(number)) });
  const quick = await client.until(2);
  expect(quick.map(({ receipt: told }) => told?.key)).toEqual(["k2", "k3"]);
  finish();
  await client.until(4);
  client.socket.close();
});

it("lets what comes faster than the limit wait unread, in its order, and refuses none of it", async () => {
  await using door = await openDoor({
    environment: {
      BURSAR_RATE_EXEMPT_IPS: "none",
      BURSAR_STREAM_RATE_PER_SECOND: "2",
      BURSAR_STREAM_RATE_BURST: "2",
    },
    pay: acceptAll,
  });
  const stream = openPaymentStream({ url: door.url });
  const bodies = ["k1", "k2", "k3", "k4"].map((key) => payment(key) as Parameters<typeof stream.pay>[0]);
  const receipts = Promise.all(bodies.map((body) => stream.pay(body)));
  await eventually(() => door.payments.length).toBe(2);
  // A minute goes by, which is as much as fits into the burst.
  const passing = setInterval(() => {
    door.time.now += 60_000;
  }, 100);
  await receipts.finally(() => clearInterval(passing));
  expect(door.payments.map(({ key }) => key)).toEqual(["k1", "k2", "k3", "k4"]);
  await stream.close();
  // Of a client that sends far more than it may, what the sockets' buffers do not take is not read.
  door.time.now += 60_000;
  const client = await connect(door.url);
  const padding = " ".repeat(15_000);
  for (let at = 0; at < 1_500; at += 1)
    client.socket.send(JSON.stringify({ id: String(at), payment: payment(`m${at}`) }) + padding);
  await eventually(() => door.payments.length).toBeGreaterThanOrEqual(5);
  for (let at = 0; at < 20; at += 1) await ask(door.url, "/health");
  expect(client.socket.bufferedAmount).toBeGreaterThan(0);
  const read = door.payments.length;
  // The door closes: what was read and waits is refused, and booked by nobody.
  await door.http.drain();
  expect(await client.closed).toEqual({ code: 1001, reason: "SHUTTING_DOWN" });
  expect(door.payments).toHaveLength(read);
});

it("takes at the usual limits what a whole service was measured to take in a second, from one signer", async () => {
  await using door = await openDoor({ environment: { BURSAR_RATE_EXEMPT_IPS: "none" }, pay: acceptAll });
  const signed = await signRequests(
    ada,
    chainId,
    () => door.time.now,
  )({
    method: "GET",
    path,
    body: "",
    origin: door.url,
  });
  const client = await connect(door.url, signed);
  // `bench:intake` streams some 9,500 vouchers a second; the clock of this door stands still meanwhile.
  const count = 10_000;
  for (let at = 0; at < count; at += 1) client.send({ id: String(at), payment: payment(`k${at}`) });
  const answers = await client.until(count);
  expect(answers.filter(({ error }) => error)).toEqual([]);
  client.socket.close();
});

it("is not to be had while vouchers have a price, which a stream cannot pay", async () => {
  await using door = await openDoor({ pay: acceptAll, prices: '{"payments.pay":"0.001"}' });
  expect(await refusedHandshake(door.url)).toMatchObject({
    status: 403,
    body: { error_code: "FORBIDDEN", facts: { action: "payments.pay" } },
  });
});

it("gives the oldest of whoever holds most streams to one that holds none, when all are taken", async () => {
  const share = { BURSAR_PAYMENT_STREAMS_MAX: "4", BURSAR_PAYMENT_STREAMS_PER_IP_MAX: "2" };
  const proxied = { BURSAR_RATE_EXEMPT_IPS: "none", BURSAR_TRUSTED_PROXIES: "127.0.0.1,::ffff:127.0.0.1" };
  await using door = await openDoor({ environment: { ...share, ...proxied }, pay: acceptAll });
  const from = (ip: string) => connect(door.url, { "x-forwarded-for": ip });
  const idle = [
    await from("10.0.0.1"),
    await from("10.0.0.1"),
    await from("10.0.0.2"),
    await from("10.0.0.2"),
  ];
  const newcomer = await from("10.0.0.3");
  expect(await idle[0]?.closed).toEqual({ code: 1013, reason: "OVERLOADED" });
  newcomer.send({ id: "1", payment: payment("k") });
  expect(await newcomer.until(1)).toMatchObject([{ id: "1", receipt: { key: "k" } }]);
  for (const { socket } of [...idle, newcomer]) socket.close();
});
