import { zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import type { Reading } from "#offchain/core/reading.ts";
import type { SettleOptions } from "#offchain/features/payments/jobs/settle.ts";
import { areClearedUntil, forceBatches, forceCleared } from "#offchain/features/payments/store/batches.ts";
import { paymentFigures } from "#offchain/features/payments/store/figures.ts";
import { listPaymentRows, paymentById } from "#offchain/features/payments/store/receipts.ts";
import { addWithdrawal } from "#offchain/features/payments/store/withdrawals.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import { type Books, bookedChainId, eachWithBooks } from "../../../support/books.ts";
import { claimPass, type Readings, senderOf, settlePass } from "./settling.ts";

type Hex = `0x${string}`;
const dear: Reading = { now: 20n, median: 10n };
const cheap: Reading = { now: 10n, median: 10n };

let books: Books;
let world: Readings;

eachWithBooks((opened) => {
  books = opened;
  world = { gas: cheap, energy: null, nativePrice: null };
});

const pass = (change: Partial<SettleOptions> = {}) => settlePass(books, world, change);
const claimOwn = () => claimPass(books);

const reasons = async (batchId: bigint) =>
  (await books.shown(batchId)).decisions.map(({ action, reason }) => `${action} ${reason}`);

describe("a full batch in the price-aware mode", () => {
  test("waits for cheap gas and clean energy, and keeps every decision with its figures", async () => {
    const channel = await books.openChannel();
    const { batchId } = await books.pay(channel, 100n);
    await books.pay(channel, 200n);
    await books.pay(channel, 300n);
    expect(await books.shown(batchId)).toMatchObject({ state: "closed", closedBy: "size", decisions: [] });

    world = { ...world, gas: dear, energy: dear };
    await pass();
    books.now += 1_000;
    await pass();
    expect(await books.shown(batchId)).toMatchObject({
      state: "closed",
      decisions: [
        {
          action: "wait",
          reason: "gas",
          at: 1_000_000,
          until: 1_060_000,
          gas: { now: "20", median: "10" },
          energy: { now: "20", median: "10" },
          cost: null,
        },
      ],
    });
    world.gas = cheap;
    await pass();
    world.energy = cheap;
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted" });
    expect(await reasons(batchId)).toEqual(["wait gas", "wait energy", "settle size"]);
  });

  test("is settled at its delay, however dear gas is", async () => {
    const channel = await books.openChannel();
    const { batchId } = await books.pay(channel, 2_000n);
    world.gas = dear;
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "open" });
    books.now += books.policy.maxDelayMs;
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", closedBy: "value" });
  });

  test("is settled at once when a payer withdraws", async () => {
    const [leaving, staying] = [await books.openChannel(), await books.openChannel()];
    const { batchId } = await books.pay(leaving, 100n);
    await books.pay(staying, 100n);
    await books.pay(staying, 200n);
    const { batchId: next } = await books.pay(staying, 300n);
    world.gas = dear;
    await books.begin((tx) => addWithdrawal(tx, books.runId, leaving, { at: books.now + 900_000, left: 1n }));
    await pass();
    expect(await reasons(batchId)).toEqual(["settle withdrawal"]);
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", closedBy: "size" });
    expect(await books.shown(next), "nobody in it withdraws").toMatchObject({ state: "open" });
  });

  test("is settled when it is flushed by hand, and the open one with it", async () => {
    const channel = await books.openChannel();
    const { batchId } = await books.pay(channel, 1n);
    await books.pay(channel, 2n);
    await books.pay(channel, 3n);
    const { batchId: open } = await books.pay(channel, 4n);
    world.gas = dear;
    await pass();
    expect(await forceBatches(books.sql, books.runId, books.now)).toEqual([open]);
    await pass();
    expect(await reasons(batchId)).toEqual(["wait gas", "settle forced"]);
    expect(await books.shown(open)).toMatchObject({ state: "submitted", closedBy: "forced" });
  });
});

test("a batch at its age that is not worth its gas waits until it is", async () => {
  const channel = await books.openChannel();
  const { batchId } = await books.pay(channel, 100n);
  // 67,400 gas for one voucher, at 1 gwei and 3 USDC for a token: 203 base units.
  world = { ...world, gas: { now: 10n ** 9n, median: 10n ** 9n }, nativePrice: 3_000_000n };
  books.now += books.policy.maxDelayMs;
  await pass();
  expect(await books.shown(batchId)).toMatchObject({
    state: "open",
    decisions: [{ action: "wait", reason: "worth", until: null, cost: { amount: "0.000203", unit: "USDC" } }],
  });
  await books.pay(channel, 300n);
  await pass();
  expect(await reasons(batchId)).toEqual(["wait worth", "settle age"]);
  expect(await books.shown(batchId)).toMatchObject({ state: "submitted", closedBy: "age" });
});

test("a batch that is not worth its gas is settled when others' credits wait for it", async () => {
  const [cleared, direct] = [await books.openChannel(), await books.openChannel()];
  await books.sql`UPDATE channel SET is_cleared = true WHERE channel_id = ${bytesOf(cleared)}`;
  const { batchId } = await books.pay(direct, 100n);
  world = { ...world, gas: { now: 10n ** 9n, median: 10n ** 9n }, nativePrice: 3_000_000n };
  books.now += books.policy.maxDelayMs;
  const { runId, now, sql } = books;
  await forceCleared(sql, runId, now);
  await pass();
  expect(await areClearedUntil(sql, runId, now), "nothing cleared is in it").toBe(true);
  expect(await reasons(batchId)).toEqual(["wait worth"]);
  await sql`UPDATE channel SET is_cleared = true WHERE channel_id = ${bytesOf(direct)}`;
  expect(await areClearedUntil(sql, runId, now)).toBe(false);
  expect(await areClearedUntil(sql, runId, 1), "begun later").toBe(true);
  await forceCleared(sql, runId, now);
  await pass();
  expect(await reasons(batchId)).toEqual(["wait worth", "settle forced"]);
});

test("a batch that cannot be judged does not hold back the next one", async () => {
  const channel = await books.openChannel();
  const { batchId: first } = await books.pay(channel, 1_000n);
  await pass();
  await books.sql`UPDATE chain_transaction SET state = 'failed'`;
  const { batchId: second } = await books.pay(await books.openChannel(), 1_000n);
  const simulate = () => Promise.reject(new Error("the node is away"));
  await expect(pass({ sender: senderOf(books, simulate) })).rejects.toThrow("away");
  expect(await books.shown(first)).toMatchObject({ state: "closed" });
  expect(await books.shown(second)).toMatchObject({ state: "submitted" });
});

describe("a settled batch", () => {
  test("names its transaction from the same moment on, and so do its receipts", async () => {
    const channel = await books.openChannel();
    const { batchId, paymentId } = await books.pay(channel, 1_000n);
    await pass();
    const hash = await books.signed(batchId);
    await books.claim(channel, 1_000n, books.event(hash));
    expect(await books.shown(batchId)).toMatchObject({ state: "settled", transactionHash: hash });
    expect(await paymentById(books.sql, bookedChainId, paymentId)).toMatchObject({ transactionHash: hash });
  });

  test("forgets it when a reorganisation takes it back", async () => {
    const channel = await books.openChannel();
    const { batchId, paymentId } = await books.pay(channel, 1_000n);
    await pass();
    const place = books.event(await books.signed(batchId));
    await books.claim(channel, 1_000n, place);
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", transactionHash: null });
    expect(await paymentById(books.sql, bookedChainId, paymentId)).toMatchObject({ transactionHash: null });
  });

  test("that a later voucher's transaction claimed names that one, and waits anew when it is taken back", async () => {
    const channel = await books.openChannel();
    const { batchId } = await books.pay(channel, 100n);
    const place = books.event();
    await books.claim(channel, 500n, place);
    await forceBatches(books.sql, books.runId, books.now);
    await pass();
    expect(await books.shown(batchId)).toMatchObject({
      state: "settled",
      transactionHash: place.transactionHash,
    });
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    expect(await books.shown(batchId)).toMatchObject({
      state: "closed",
      transactionHash: null,
      settledAt: null,
    });
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted" });
  });
});

describe("a batch with channels whose payers sign for themselves", () => {
  async function closed(channels: readonly Hex[]) {
    let batchId = 0n;
    for (const channel of channels) ({ batchId } = await books.pay(channel, 100n));
    await forceBatches(books.sql, books.runId, books.now);
    await pass();
    await claimOwn();
    return batchId;
  }
  const openOwn = () => books.openChannel(zeroAddress);

  test("and no others is settled when all of them are claimed, not before", async () => {
    const [one, other] = [await openOwn(), await openOwn()];
    const batchId = await closed([one, other]);
    expect(await books.shown(batchId)).toMatchObject({
      state: "submitted",
      transactionHash: null,
      settledAt: null,
    });
    await books.claim(one, 100n, books.event());
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted" });
    const place = books.event();
    await books.claim(other, 100n, place);
    await pass();
    expect(await books.shown(batchId)).toMatchObject({
      state: "settled",
      transactionHash: place.transactionHash,
      refused: [],
    });
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted", transactionHash: null });
  });

  test("and others is settled when both are claimed", async () => {
    const [own, keyed] = [await openOwn(), await books.openChannel()];
    const batchId = await closed([own, keyed]);
    await books.claim(keyed, 100n, books.event(await books.signed(batchId)));
    await books.sql`UPDATE chain_transaction SET state = 'mined', success = true WHERE purpose = 'batch.settle'`;
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted" });
    await books.claim(own, 100n, books.event());
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
  });

  test("does not wait for a payer whose code refuses, and names it until its claim succeeds", async () => {
    const [fickle, honest, alone] = [await openOwn(), await openOwn(), await openOwn()];
    const batchId = await closed([fickle, honest]);
    const lonely = await closed([alone]);
    await books.claim(honest, 100n, books.event());
    await books.sql`
      UPDATE chain_transaction t SET state = 'failed',
        error = ${books.sql.json({ code: "TRANSACTION_REVERTED", message: "reverted", facts: { error: "Says_No" } })}
      FROM payer_claim k JOIN channel c ON c.id = k.channel WHERE t.id = k.transaction_id AND c.claimed = 0`;
    await pass();
    const refused = [{ channelId: fickle, amount: { amount: "0.0001", unit: "USDC" }, reason: "Says_No" }];
    expect(await books.shown(batchId)).toMatchObject({ state: "settled", refused });
    expect(await books.shown(lonely)).toMatchObject({ state: "lost", refused: [{ channelId: alone }] });
    const receipts = await listPaymentRows(books.sql, bookedChainId, { batchId, limit: 10 });
    expect(receipts.map((one) => [one.channelId, one.refusal?.reason])).toEqual([
      [honest, undefined],
      [fickle, "Says_No"],
    ]);

    books.now += 30_000;
    expect(await claimOwn()).toBe(2);
    await pass();
    expect(await books.shown(batchId), "while it is tried again").toMatchObject({
      state: "settled",
      refused: [{ channelId: fickle }],
    });
    const [first, second] = [books.event(), books.event()];
    await books.claim(fickle, 100n, first);
    await books.claim(alone, 100n, second);
    await pass();
    expect(await books.shown(batchId)).toMatchObject({ state: "settled", refused: [] });
    expect(await books.shown(lonely)).toMatchObject({
      state: "settled",
      transactionHash: second.transactionHash,
      refused: [],
    });
  });
});

test("settled are the payments that are claimed, whatever their batch shows", async () => {
  const before = await paymentFigures(books.sql, books.runId);
  const since = async () => {
    const { total, pending, settled } = await paymentFigures(books.sql, books.runId);
    return [total - before.total, pending - before.pending, settled - before.settled];
  };
  const [own, bad, good] = [
    await books.openChannel(zeroAddress),
    await books.openChannel(),
    await books.openChannel(),
  ];
  books.policy = { ...books.policy, batchSize: 10 };
  const { batchId } = await books.pay(bad, 100n);
  for (const cumulative of [100n, 200n]) await books.pay(good, cumulative);
  await books.pay(own, 100n);
  expect(await since()).toEqual([4, 4, 0]);
  await forceBatches(books.sql, books.runId, books.now);
  await pass();
  await books.sql`UPDATE chain_transaction SET state = 'failed' WHERE purpose = 'batch.settle'`;
  const simulate = async ({ data }: { data: Hex }) => {
    if (data.includes(bad.slice(2))) throw new BursarError("TRANSACTION_REVERTED", "reverted", { facts: {} });
  };
  await pass({ sender: senderOf(books, simulate) });
  expect(await since(), "the refused one waits for nothing").toEqual([4, 3, 0]);
  await books.claim(good, 200n, books.event(await books.signed(batchId)));
  expect(await since()).toEqual([4, 1, 2]);
  await books.claim(own, 100n, books.event());
  await books.sql`UPDATE chain_transaction SET state = 'mined', success = true WHERE purpose = 'batch.settle'`;
  await pass();
  expect(await books.shown(batchId)).toMatchObject({ state: "settled", refused: [{ channelId: bad }] });
  expect(await since()).toEqual([4, 0, 3]);
});
