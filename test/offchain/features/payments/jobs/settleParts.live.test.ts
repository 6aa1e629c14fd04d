import { type Hex, size } from "viem";
import { describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import type { SettleOptions } from "#offchain/features/payments/jobs/settle.ts";
import { forceBatches } from "#offchain/features/payments/store/batches.ts";
import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import { type Books, eachWithBooks, hex } from "../../../support/books.ts";
import { senderOf, settlePass } from "./settling.ts";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
  books.policy = { ...books.policy, batchSize: 100, minAmount: null };
});

/** Three channels with payees of their own are a transaction's fill. */
const limits = { bytes: 100_000, gas: 30_000n + 3n * (10_400n + 27_000n) };
const pass = (change: Partial<SettleOptions> = {}) =>
  settlePass(books, { gas: null, energy: null, nativePrice: null }, { limits, ...change });

/** A closed batch of so many channels. */
async function batchOf(count: number) {
  const channels: Hex[] = [];
  let batchId = 0n;
  for (let at = 0; at < count; at += 1) {
    const channel = await books.openChannel();
    ({ batchId } = await books.pay(channel, 100n));
    channels.push(channel);
  }
  await forceBatches(books.sql, books.runId, books.now);
  return { batchId, channels };
}

/** The batch's transactions in their order, each with the channels that it claims. */
async function sent(channels: readonly Hex[]) {
  const rows = await books.sql<{ id: bigint; key: string; data: Uint8Array }[]>`
    SELECT id, key, data FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY id`;
  return rows.map(({ id, key, data }) => {
    const call = hexOf(data);
    return { id, key, claims: channels.filter((channel) => call.includes(channel.slice(2))) };
  });
}

let blocks = 0;

/** The transaction's block: the sender has seen it, and the indexer too unless `isIndexed` says no. */
async function mine(batchId: bigint, id: bigint, claims: readonly Hex[], isIndexed = true) {
  const place = books.event(await books.signed(batchId));
  blocks += 1;
  await books.sql`
    UPDATE chain_transaction SET state = 'mined', success = true, hash = ${bytesOf(place.transactionHash)},
      block_number = ${blocks}, block_hash = ${bytesOf(place.blockHash)} WHERE id = ${id}`;
  const index = async () => {
    await books.sql`
      INSERT INTO chain_block (run_id, sequence, number, hash, parent_hash, block_at, event_count)
      VALUES (${books.runId}, ${blocks}, ${blocks}, ${bytesOf(place.blockHash)}, ${bytesOf(hex(32))}, 0, 1)`;
    for (const [logIndex, channel] of claims.entries())
      await books.claim(channel, 100n, { ...place, logIndex });
  };
  if (isIndexed) await index();
  return { place, index };
}

/** The batch's newest transaction. */
async function newest(channels: readonly Hex[]) {
  const last = (await sent(channels)).at(-1);
  if (!last) throw new Error("nothing was sent");
  return last;
}

describe("a batch that is more than a transaction holds", () => {
  test("settles in parts, one after another, each under a key of its own", async () => {
    const { batchId, channels } = await batchOf(8);
    for (let part = 0; part < 3; part += 1) {
      await pass();
      expect(await books.shown(batchId)).toMatchObject({ state: "submitted", settledAt: null });
      await pass();
      expect(await sent(channels), "one at a time").toHaveLength(part + 1);
      const { id, claims } = await newest(channels);
      await mine(batchId, id, claims);
    }
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
    await pass();
    const parts = await sent(channels);
    expect(parts.map(({ key }) => key)).toEqual([0, 1, 2].map((attempt) => `batch:${batchId}:${attempt}`));
    expect(parts.map(({ claims }) => claims.length)).toEqual([3, 3, 2]);
    expect(new Set(parts.flatMap(({ claims }) => claims))).toEqual(new Set(channels));
  });

  test("does not send its next part before the block of the last is indexed", async () => {
    const { batchId, channels } = await batchOf(4);
    await pass();
    const { id, claims } = await newest(channels);
    const { index } = await mine(batchId, id, claims, false);
    await pass();
    expect(await sent(channels)).toHaveLength(1);
    await index();
    await pass();
    expect((await newest(channels)).claims).toEqual(channels.filter((channel) => !claims.includes(channel)));
  });

  test("is not judged voucher by voucher while its parts go through", async () => {
    const { batchId, channels } = await batchOf(6);
    const sender = senderOf(books, () => Promise.reject(new Error("asked")));
    await pass({ sender });
    const { id, claims } = await newest(channels);
    await mine(batchId, id, claims);
    await pass({ sender });
    expect(await sent(channels)).toHaveLength(2);
  });

  test("settles once though two instances settle it", async () => {
    const { batchId, channels } = await batchOf(7);
    for (let part = 0; part < 3; part += 1) {
      await Promise.all([pass(), pass(), pass()]);
      const { id, claims } = await newest(channels);
      await mine(batchId, id, claims);
    }
    expect((await sent(channels)).map(({ claims }) => claims.length)).toEqual([3, 3, 1]);
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
  });

  test("claims a part again that a reorganisation dropped", async () => {
    const { batchId, channels } = await batchOf(4);
    await pass();
    const first = await newest(channels);
    const { place } = await mine(batchId, first.id, first.claims);
    await pass();
    const second = await newest(channels);
    await books.sql`UPDATE chain_block SET retracted_as = 1_000 WHERE hash = ${bytesOf(place.blockHash)}`;
    for (const logIndex of first.claims.keys())
      await books.begin((tx) => books.postings.retractClaims(tx, books.runId, { ...place, logIndex }));
    await mine(batchId, second.id, second.claims);
    expect(await books.shown(batchId)).toMatchObject({ state: "submitted" });
    await pass();
    const third = await newest(channels);
    expect(third.claims).toEqual(first.claims);
    await mine(batchId, third.id, third.claims);
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
  });
});

describe("a settlement that fails", () => {
  const fail = async () => {
    await books.sql`UPDATE chain_transaction SET state = 'failed', final = true WHERE run_id = ${books.runId} AND state = 'prepared'`;
    await pass({ limits: { ...limits, gas: 10n ** 9n } });
  };

  test("though each of its vouchers is good alone, is halved until it goes through, and then whole again", async () => {
    const { batchId, channels } = await batchOf(8);
    await pass({ limits: { ...limits, gas: 10n ** 9n } });
    for (let time = 0; time < 3; time += 1) await fail();
    expect((await sent(channels)).map(({ claims }) => claims.length)).toEqual([8, 8, 4, 2]);
    const { id, claims } = await newest(channels);
    await mine(batchId, id, claims);
    await pass({ limits: { ...limits, gas: 10n ** 9n } });
    expect((await newest(channels)).claims).toHaveLength(6);
  });

  test("and whose part cannot be claimed at all goes on with the rest", async () => {
    const { batchId, channels } = await batchOf(5);
    await pass();
    const { claims: bad } = await newest(channels);
    const simulate = async ({ data }: { data: Hex }) => {
      if (bad.some((channel) => data.includes(channel.slice(2))))
        throw new BursarError("TRANSACTION_TOO_EXPENSIVE", "too dear", { facts: { bytes: size(data) } });
    };
    await books.sql`UPDATE chain_transaction SET state = 'failed', final = true WHERE run_id = ${books.runId}`;
    await pass({ sender: senderOf(books, simulate) });
    expect(await books.shown(batchId)).toMatchObject({ state: "closed" });
    await pass({ sender: senderOf(books, simulate) });
    const { id, claims } = await newest(channels);
    expect(claims).toEqual(channels.filter((channel) => !bad.includes(channel)));
    await mine(batchId, id, claims);
    expect(await books.shown(batchId)).toMatchObject({ state: "settled" });
    expect((await books.shown(batchId)).refused.map(({ channelId }) => channelId)).toEqual(bad);
  });
});
