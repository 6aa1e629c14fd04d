import { type AddressInfo, connect, createServer } from "node:net";
import { expect, it, vi } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import type { PaymentOutcome, PaymentRequest, Receipt } from "#offchain/features/payments/service.ts";
import { openPaymentStream } from "#offchain/sdk/paymentStream.ts";
import { accepted, openDoor } from "../doors/http/door.ts";

const channelId = `0x${"11".repeat(32)}`;
const payment = (number: number, more: object = {}) => ({
  key: `k${number}`,
  channelId,
  network: "eip155:31337",
  maxClaimableAmount: String(number),
  signature: `0x${"22".repeat(65)}` as const,
  ...more,
});

/** Books as the service does: once for a key, in order, a voucher only upon the one before it. */
class Books {
  readonly keys: string[] = [];
  accepted = 0n;
  asked = 0;

  readonly pay = async (payments: readonly PaymentRequest[]): Promise<PaymentOutcome[]> =>
    payments.map((sent) => this.book(sent));

  book({ key, maxClaimableAmount }: PaymentRequest): PaymentOutcome {
    this.asked += 1;
    const receipt = { key, cumulative: String(maxClaimableAmount) } as Receipt;
    if (this.keys.includes(key)) return accepted(receipt, true);
    if (maxClaimableAmount !== this.accepted + 1n)
      return { ok: false, error: new BursarError("AMOUNT_INVALID", `not one more than ${this.accepted}`) };
    this.keys.push(key);
    this.accepted = maxClaimableAmount;
    return accepted(receipt);
  }
}

const overloaded = () => new BursarError("OVERLOADED", "too many");
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

vi.setConfig({ testTimeout: 60_000 });

it("says what to give it where there is no WebSocket, when it is opened", () => {
  vi.stubGlobal("WebSocket", undefined);
  try {
    const open = () => openPaymentStream({ url: "http://127.0.0.1:1" });
    expect(open).toThrow(/^WebSocket must be given .* npm package ws$/);
    expect(open).toThrow(BursarError);
  } finally {
    vi.unstubAllGlobals();
  }
});

it("gives each voucher its own receipt, many at once", async () => {
  const books = new Books();
  await using door = await openDoor({ pay: books.pay });
  const stream = openPaymentStream({ url: door.url });
  const receipts = await Promise.all(numbers(1_000).map((at) => stream.pay(payment(at))));
  expect(receipts.map(({ key }) => key)).toEqual(numbers(1_000).map((at) => `k${at}`));
  expect(books.keys).toEqual(receipts.map(({ key }) => key));
  await stream.close();
});

it("rejects what the service refuses with the service's error, and goes on", async () => {
  await using door = await openDoor({ pay: new Books().pay });
  const stream = openPaymentStream({ url: door.url });
  const [gap, malformed, good] = await Promise.allSettled([
    stream.pay(payment(5)),
    stream.pay(payment(1, { channelId: "0x12" })),
    stream.pay(payment(1)),
  ]);
  expect(gap).toMatchObject({ reason: { code: "AMOUNT_INVALID" } });
  expect(malformed).toMatchObject({
    reason: { code: "VALIDATION_INVALID_INPUT", fields: [{ field: "channelId" }] },
  });
  expect(good).toMatchObject({ value: { key: "k1" } });
  await stream.close();
});

it("sends again, in order, what was turned away for the moment and all that builds upon it", async () => {
  const books = new Books();
  let turnedAway = 0;
  await using door = await openDoor({
    async pay(sent) {
      if (books.asked < 100 || turnedAway > 2) return books.pay(sent);
      turnedAway += 1;
      // The group fails, those after it are decided.
      return sent.map(() => ({ ok: false, error: overloaded() }));
    },
    environment: { BURSAR_PAYMENT_STREAM_WINDOW: "20" },
  });
  const stream = openPaymentStream({ url: door.url });
  await Promise.all(numbers(300).map((at) => stream.pay(payment(at))));
  expect([turnedAway, books.keys]).toEqual([3, numbers(300).map((at) => `k${at}`)]);
  await stream.close();
});

/** Stands before the service, and cuts each connection once it has let so many bytes of answers through. */
async function cutting(url: string, bytes: number) {
  let connections = 0;
  const server = createServer((near) => {
    connections += 1;
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on("error", cut).on("close", cut);
    let passed = 0;
    near.pipe(far);
    far.on("data", (chunk) => {
      near.write(chunk.subarray(0, Math.max(0, bytes - passed)));
      passed += chunk.length;
      if (passed >= bytes) near.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    [Symbol.dispose]: () => server.close(),
  };
}

it("sends again over a new connection what the lost one owed, and everything is booked once", async () => {
  const books = new Books();
  await using door = await openDoor({ pay: books.pay, environment: { BURSAR_PAYMENT_STREAM_WINDOW: "16" } });
  using between = await cutting(door.url, 1_500);
  const stream = openPaymentStream({ url: between.url });
  const receipts = await Promise.all(numbers(100).map((at) => stream.pay(payment(at))));
  expect(receipts.map(({ key }) => key)).toEqual(books.keys);
  expect(books.keys).toHaveLength(100);
  expect(between.connections()).toBeGreaterThan(2);
  expect(books.asked).toBeGreaterThan(100);
  await stream.close();
});

it("drops a connection that owes an answer and says nothing, and asks over another", async () => {
  const books = new Books();
  let isSilent = true;
  await using door = await openDoor({
    async pay(sent) {
      if (!isSilent) return books.pay(sent);
      isSilent = false;
      return new Promise(() => {});
    },
    environment: { BURSAR_DRAIN_TIMEOUT_MS: "0" },
  });
  const stream = openPaymentStream({ url: door.url, silenceMs: 200 });
  expect(await stream.pay(payment(1))).toMatchObject({ key: "k1" });
  await stream.close();
});

it("gives a voucher up after its deadline, and its signal gives up all", async () => {
  await using door = await openDoor({
    pay: () => new Promise(() => {}),
    environment: { BURSAR_DRAIN_TIMEOUT_MS: "0" },
  });
  const impatient = openPaymentStream({ url: door.url, deadlineMs: 50 });
  await expect(impatient.pay(payment(1))).rejects.toMatchObject({ code: "PAYMENT_UNANSWERED" });
  await impatient.close();
  const ending = new AbortController();
  const stream = openPaymentStream({ url: door.url, signal: ending.signal });
  const pays = [stream.pay(payment(1)), stream.pay(payment(2))];
  ending.abort(new Error("enough"));
  for (const pay of pays) await expect(pay).rejects.toThrow("enough");
  await expect(stream.pay(payment(3))).rejects.toThrow("enough");
});

it("refuses what the service would end the stream for, and the others pass", async () => {
  await using door = await openDoor({ pay: new Books().pay });
  const stream = openPaymentStream({ url: door.url });
  const large = stream.pay(payment(9, { reference: "r".repeat(20_000) }));
  const good = stream.pay(payment(1));
  await expect(large).rejects.toMatchObject({ code: "BODY_TOO_LARGE", facts: { limitBytes: 16_384 } });
  expect(await good).toMatchObject({ key: "k1" });
  await stream.close();
});

it("holds no more than a window for who waits until it is ready", async () => {
  const books = new Books();
  await using door = await openDoor({ pay: books.pay, environment: { BURSAR_PAYMENT_STREAM_WINDOW: "8" } });
  const stream = openPaymentStream({ url: door.url });
  let [open, most] = [0, 0];
  for (const at of numbers(200)) {
    await stream.ready();
    open += 1;
    most = Math.max(most, open);
    void stream.pay(payment(at)).then(() => {
      open -= 1;
    });
  }
  await stream.close();
  expect([books.keys.length, most]).toEqual([200, 8]);
});
