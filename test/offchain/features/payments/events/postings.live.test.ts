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
