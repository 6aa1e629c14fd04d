import { describe, expect, test } from "vitest";
import { type Books, deposit, eachWithBooks } from "../../../support/books.ts";

let books: Books;

eachWithBooks((opened) => {
  books = opened;
});

describe("a reorganisation that takes a deposit away and brings it back", () => {
  test("gives up what was promised of it, and promises it again", async () => {
    const channel = await books.openChannel();
    await books.pay(channel, 100n);
    await books.pay(channel, 250n);
    await books.change(channel, -deposit);
    expect(await books.account(channel)).toEqual([0n, 0n]);
    await books.change(channel, deposit);
    expect(await books.account(channel)).toEqual([deposit, 250n]);
    await books.claim(channel, 250n, books.event());
    expect(await books.account(channel)).toEqual([deposit - 250n, 0n]);
  });

  test("promises the oldest again as far as what came back reaches", async () => {
    const channel = await books.openChannel();
    await books.pay(channel, 100n);
    await books.pay(channel, 250n);
    await books.change(channel, -deposit);
    await books.change(channel, 200n);
    expect(await books.account(channel)).toEqual([200n, 100n]);
  });

  test("does not stop what the chain claims meanwhile, and a claim that is taken back is promised anew", async () => {
    const channel = await books.openChannel();
    await books.pay(channel, 100n);
    await books.pay(channel, 250n);
    await books.change(channel, -deposit);
    await books.change(channel, 240n);
    const place = books.event();
    await books.claim(channel, 240n, place);
    expect(await books.account(channel)).toEqual([0n, 0n]);
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    expect(await books.account(channel)).toEqual([240n, 100n]);
    await books.change(channel, deposit);
    expect(await books.account(channel)).toEqual([deposit + 240n, 250n]);
  });

  test("lets its chain be written off while it is away", async () => {
    const channel = await books.openChannel();
    await books.pay(channel, 100n);
    await books.change(channel, -deposit);
    await books.begin((tx) => books.postings.endRun(tx, books.runId, books.now));
    expect(await books.account(channel)).toEqual([0n, 0n]);
  });
});

/** Payments of one group share a reservation. */
const together = (channelId: `0x${string}`, cumulatives: readonly bigint[]) =>
  books.book(
    cumulatives.map((cumulative) => ({
      channelId,
      key: `pay ${cumulative}`,
      maxClaimableAmount: cumulative,
      signature: Buffer.alloc(64),
      amount: undefined,
      payee: undefined,
      ticketId: undefined,
      reference: undefined,
      submitter: null,
    })),
  );

describe("a claim", () => {
  test("that ends within a reservation leaves the rest of it reserved, and taken back reserves all again", async () => {
    const channel = await books.openChannel();
    await together(channel, [100n, 200n, deposit]);
    const place = books.event();
    await books.claim(channel, 200n, place);
    expect(await books.account(channel)).toEqual([deposit - 200n, deposit - 200n]);
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    expect(await books.account(channel)).toEqual([deposit, deposit]);
  });

  test("by an event that names the channel twice is taken back in the opposite order", async () => {
    const channel = await books.openChannel();
    await books.pay(channel, 300n);
    const place = books.event();
    await books.claim(channel, 100n, place);
    await books.claim(channel, 250n, place);
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    expect(await books.account(channel)).toEqual([deposit, 300n]);
    // Taken back in the order in which they came, the channel would count as claimed up to 100, and this would be passed over.
    await books.claim(channel, 100n, books.event());
    await books.claim(channel, 300n, books.event());
    expect(await books.account(channel)).toEqual([deposit - 300n, 0n]);
  });

  test("of many channels by one event does to each what an event of its own would, and is taken back whole", async () => {
    const [whole, within, twice, silent] = [
      await books.openChannel(),
      await books.openChannel(),
      await books.openChannel(),
      await books.openChannel(),
    ];
    for (const channel of [whole, within, twice, silent]) {
      await books.pay(channel, 100n);
      await books.pay(channel, 300n);
    }
    await books.claim(silent, 300n, books.event());
    const place = books.event();
    await books.claims(
      [
        [whole, 300n],
        [within, 150n],
        [twice, 100n],
        [silent, 300n],
        [twice, 300n],
      ],
      place,
    );
    expect(await books.account(whole)).toEqual([deposit - 300n, 0n]);
    expect(await books.account(within)).toEqual([deposit - 150n, 150n]);
    expect(await books.account(twice)).toEqual([deposit - 300n, 0n]);
    expect(await books.account(silent)).toEqual([deposit - 300n, 0n]);
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    for (const channel of [whole, within, twice])
      expect(await books.account(channel)).toEqual([deposit, 300n]);
    expect(await books.account(silent)).toEqual([deposit - 300n, 0n]);
  });

  test("that ends within a payment reserves what is left of it, and no more: the rest may be promised", async () => {
    const channel = await books.openChannel();
    await books.pay(channel, 600_000n);
    const place = books.event();
    await books.claim(channel, 300_000n, place);
    expect(await books.account(channel)).toEqual([deposit - 300_000n, 300_000n]);
    await books.pay(channel, deposit);
    expect(await books.account(channel)).toEqual([deposit - 300_000n, deposit - 300_000n]);
    await books.begin((tx) => books.postings.retractClaims(tx, books.runId, place));
    expect(await books.account(channel)).toEqual([deposit, deposit]);
    await books.claim(channel, deposit, books.event());
    expect(await books.account(channel)).toEqual([0n, 0n]);
  });
});
