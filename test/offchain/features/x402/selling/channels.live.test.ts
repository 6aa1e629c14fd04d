import { afterAll, beforeAll, expect, test } from "vitest";
import { lockPromised } from "#offchain/features/payments/store/promised.ts";
import { openChannelStorage } from "#offchain/features/x402/selling/channels.ts";
import { Books } from "../../../support/books.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";

let server: TestServer;
let database: TestDatabase;
let books: Books;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  books = await Books.open(database.sql);
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const storage = () =>
  openChannelStorage(database.sql, { now: () => books.now }, () => books.runId, { lockPromised });
const record = (channelId: string) => ({ channelId, chargedCumulativeAmount: "700" }) as never;

test("a channel that pays for priced actions pays for nothing else: one voucher is money once", async () => {
  const channel = await books.openChannel();
  await storage().updateChannel(channel, () => record(channel));
  await expect(books.pay(channel, 700n)).rejects.toMatchObject({ code: "CHANNEL_MISMATCH" });
  await expect(books.pay(channel, 900n)).rejects.toMatchObject({ code: "CHANNEL_MISMATCH" });
});

test("a channel whose money is promised to payments pays for no priced action until it is claimed", async () => {
  const channel = await books.openChannel();
  await books.pay(channel, 700n);
  const sell = () => storage().updateChannel(channel, () => record(channel));
  await expect(sell()).rejects.toMatchObject({ code: "CHANNEL_MISMATCH", facts: { accepted: 700n } });
  expect(await storage().get(channel)).toBeUndefined();
  await books.claim(channel, 700n, books.event());
  expect(await sell()).toMatchObject({ status: "updated" });
});

test("of a payment and a sale that come together one is taken", async () => {
  for (let round = 0; round < 10; round += 1) {
    const channel = await books.openChannel();
    const outcomes = await Promise.allSettled([
      books.pay(channel, 700n),
      storage().updateChannel(channel, () => record(channel)),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  }
});
