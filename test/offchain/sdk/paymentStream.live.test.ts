import { once } from "node:events";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { openPaymentStream } from "#offchain/sdk/paymentStream.ts";
import { eventually } from "../support/eventually.ts";
import { account, chainId, startTestStack, type TestStack } from "../support/stack.ts";

const payer = account(4);
const channelCount = 3;
/** Each payment's amount, base units. */
const step = 10n;
const written = "0.00001";

let stack: TestStack;
let channels: PayingChannel[];
/** What this test has signed on each channel. */
const signed = Array.from({ length: channelCount }, () => 0n);

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "10000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
    BURSAR_PAYMENT_STREAM_WINDOW: "32",
    BURSAR_STREAM_HEARTBEAT_MS: "1000",
  });
  await stack.agent(4).register("Payer", "buyer");
  const payees = Array.from({ length: channelCount }, (_, at) => account(5 + at).address);
  for (const [at] of payees.entries()) await stack.agent(5 + at).register(`Payee ${at}`, "seller");
  channels = [];
  for (const payee of payees) channels.push(await stack.agent(4).openChannel({ payee, deposit: "1" }));
}, 240_000);

afterAll(() => stack?.stop());

/** The next payment of a channel. */
async function next(at: number, key: string) {
  const channelId = channels[at]?.channelId ?? "0x";
  const cumulative = (signed[at] ?? 0n) + step;
  signed[at] = cumulative;
  return {
    key,
    channelId,
    network: `eip155:${chainId}`,
    maxClaimableAmount: cumulative.toString(),
    amount: written,
    signature: await signVoucher(payer, chainId, { channelId, maxClaimableAmount: cumulative }),
  };
}

async function nextOnEach(count: number, name: string) {
  const payments: Awaited<ReturnType<typeof next>>[] = [];
  for (let at = 0; at < count; at += 1) payments.push(await next(at % channelCount, `${name}-${at}`));
  return payments;
}

/** Everything that a payment changes. */
async function books() {
  const shown = await Promise.all(channels.map(({ channelId }) => stack.client.channels.show({ channelId })));
  const reconciliation = await stack.client.ledger.reconcile();
  return { accepted: shown.map(({ accepted }) => accepted.amount), sums: reconciliation.sums };
}

async function expectEachBookedOnce(): Promise<void> {
  const booked: { channelId: string; cumulative: string; amount: string }[] = [];
  for (let cursor: string | undefined; ; ) {
    const { items, next: after } = await stack.client.payments.list({
      limit: 200,
      ...(cursor && { cursor }),
    });
    booked.push(...items.map((item) => ({ ...item, amount: item.amount.amount })));
    if (after === null) break;
    cursor = after;
  }
  for (const [at, { channelId }] of channels.entries()) {
    const steps = booked.filter((payment) => payment.channelId === channelId);
    const wanted = Array.from({ length: Number((signed[at] ?? 0n) / step) }, (_, index) =>
      String(BigInt(index + 1) * step),
    );
    expect(steps.map(({ cumulative }) => cumulative).reverse()).toEqual(wanted);
    expect(new Set(steps.map(({ amount }) => amount))).toEqual(new Set([written]));
  }
  expect(await stack.client.ledger.reconcile()).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
  });
}

async function connect() {
  const socket = new WebSocket(`${stack.apiUrl.replace("http", "ws")}/api/v1/micropayments/stream`);
  const messages: { id: string | null; receipt?: { key: string }; error?: { error_code: string } }[] = [];
  socket.on("message", (data) => messages.push(JSON.parse(String(data))));
  await once(socket, "open");
  await eventually(() => messages.length).toBeGreaterThan(0);
  messages.shift();
  return { socket, messages };
}

test("killed twice while vouchers stream in, the service counts each of them once", async () => {
  const stream = openPaymentStream({ url: stack.apiUrl });
  const payments = await nextOnEach(900, "killed");
  let answered = 0;
  const receipts = Promise.all(
    payments.map(async (payment) => {
      const receipt = await stream.pay(payment);
      answered += 1;
      return receipt;
    }),
  );
  for (const share of [0.2, 0.6]) {
    await eventually(() => answered, 1).toBeGreaterThan(share * payments.length);
    await stack.killService();
    await stack.startService();
  }
  expect((await receipts).map(({ key, cumulative }) => [key, cumulative])).toEqual(
    payments.map(({ key, maxClaimableAmount }) => [key, maxClaimableAmount]),
  );
  await stream.close();
  await expectEachBookedOnce();
});

test("a receipt that was acknowledged before the kill is the one that the resent voucher gets after it", async () => {
  const stream = openPaymentStream({ url: stack.apiUrl });
  const payment = await next(0, "acknowledged");
  const first = await stream.pay(payment);
  await stack.killService();
  await stack.startService();
  expect(await stream.pay(payment)).toEqual(first);
  await stream.close();
  await expectEachBookedOnce();
});

test("what is thrown at a stream is refused by name and changes nothing", async () => {
  const { socket, messages } = await connect();
  const before = await books();
  const good = await next(0, "good");
  signed[0] = (signed[0] ?? 0n) - step;
  const field = fc.constantFrom(...Object.keys(good));
  const nonsense = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.constantFrom(-1, 2 ** 60, "0x", "9".repeat(400), null),
  );
  const message = fc.oneof(
    // A good voucher with a field replaced, or without one; `amount` and `payee` and the like may be absent.
    fc
      .record({ field, value: nonsense })
      .map(({ field: name, value }) =>
        JSON.stringify({ id: "m", payment: { ...good, [name]: value, amount: "7" } }),
      ),
    fc
      .constantFrom("key", "channelId", "network", "maxClaimableAmount", "signature")
      .map((name) => JSON.stringify({ id: "m", payment: { ...good, [name]: undefined } })),
    // Well-formed, and signed by nobody.
    fc
      .record({
        amount: fc.bigInt(1n, 2n ** 128n - 1n),
        bytes: fc.uint8Array({ minLength: 65, maxLength: 65 }),
      })
      .map(({ amount, bytes }) => {
        const forged = {
          maxClaimableAmount: String(amount),
          signature: `0x${Buffer.from(bytes).toString("hex")}`,
        };
        return JSON.stringify({ id: "m", payment: { ...good, ...forged } });
      }),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string().filter((text) => text.length > 0),
    fc.record({ id: nonsense, payment: nonsense }).map((value) => JSON.stringify(value)),
    fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
  );
  const thrown = fc.sample(message, { numRuns: 2_000, seed: 5 });
  for (const [at, data] of thrown.entries())
    socket.send(typeof data === "string" ? data.replace('{"id":"m"', `{"id":"${at}"`) : data);
  await eventually(() => messages.length).toBe(thrown.length);
  const codes = new Set(messages.map(({ error }) => error?.error_code));
  expect(codes).not.toContain(undefined);
  expect(codes).not.toContain("INTERNAL");
  for (const code of [
    "BODY_MALFORMED",
    "VALIDATION_INVALID_INPUT",
    "CONTENT_TYPE_UNSUPPORTED",
    "VOUCHER_FORGED",
  ])
    expect(codes).toContain(code);
  expect(await books()).toEqual(before);
  socket.send(JSON.stringify({ id: "after", payment: await next(0, "after-the-noise") }));
  await eventually(() => messages.at(-1)?.receipt?.key).toBe("after-the-noise");
  socket.close();
});

test("who does not read is let go, and gets every receipt when it comes back", async () => {
  const { socket, messages } = await connect();
  const payments = await nextOnEach(60, "unread");
  const isClosed = once(socket, "close");
  socket.pause();
  for (const [at, payment] of payments.entries()) socket.send(JSON.stringify({ id: String(at), payment }));
  const open = async () =>
    /^bursar_payment_streams (\d+)/m.exec(await (await fetch(`${stack.apiUrl}/metrics`)).text())?.[1];
  await eventually(open).toBe("0");
  socket.resume();
  await isClosed;
  expect(messages.length).toBeLessThanOrEqual(payments.length);
  const stream = openPaymentStream({ url: stack.apiUrl });
  const receipts = await Promise.all(payments.map((payment) => stream.pay(payment)));
  expect(receipts.map(({ key }) => key)).toEqual(payments.map(({ key }) => key));
  await stream.close();
  await expectEachBookedOnce();
});

test("an agent's channels may share one stream", async () => {
  const stream = stack.agent(4).openStream();
  const paying = await Promise.all(
    [5, 6].map((index) =>
      stack.agent(4).openChannel({ payee: account(index).address, deposit: "0.5", label: "shared", stream }),
    ),
  );
  const receipts = await Promise.all(
    paying.flatMap((channel) => [1, 2, 3].map((at) => channel.pay({ key: `s${at}`, amount: written }))),
  );
  expect(receipts.map(({ cumulative }) => cumulative)).toEqual(["10", "20", "30", "10", "20", "30"]);
  await stream.close();
});
