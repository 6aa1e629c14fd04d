import { expect, test } from "vitest";
import { openSales } from "#offchain/features/x402/selling/sales.ts";
import type { LeasedSale, Sale, Sales } from "#offchain/features/x402/service.ts";
import { type Books, eachWithBooks, hex } from "../../../support/books.ts";

let books: Books;
let sale: Sale;
/** Two instances of the service, on one database. */
let one: Sales;
let other: Sales;
eachWithBooks((opened) => {
  books = opened;
  sale = {
    payment: { key: hex(32), content: hex(32) } as Sale["payment"],
    request: hex(32),
    action: "wallets.list",
  };
  const open = () => openSales(books.sql, { now: () => books.now }, () => books.runId);
  [one, other] = [open(), open()];
});

const answer = (body: string) => ({ status: 200, body, receipt: {} });

async function leased(sales: Sales): Promise<LeasedSale> {
  const begun = await sales.begin(sale);
  if (begun.state !== "leased") throw new Error(`the sale is ${begun.state}`);
  return begun.leased;
}

/** A hold whose process says nothing until another request has taken the sale over. */
async function takenOver(): Promise<[stalled: LeasedSale, now: LeasedSale]> {
  const stalled = await leased(one);
  books.now += 60_000;
  return [stalled, await leased(other)];
}

test("a hold that was taken over ends nothing: neither the sale, nor the hold of the other", async () => {
  const [stalled, now] = await takenOver();
  for (const outcome of ["pending", "unpaid"] as const) {
    await one.release(stalled, outcome);
    expect(await one.find(sale), outcome).toMatchObject({ state: "running" });
  }
  await expect(one.end(stalled, answer("late"))).rejects.toMatchObject({ code: "PAYMENT_IN_USE" });
  await other.end(now, answer("mine"));
  expect(await one.find(sale)).toEqual({ state: "paid", answer: answer("mine") });
});

test("a second release, after the first has let another request begin, does not end its hold", async () => {
  const first = await leased(one);
  await one.release(first, "unpaid");
  const second = await leased(other);
  await one.release(first, "pending");
  expect((await one.begin(sale)).state).toBe("running");
  await other.release(second, "unpaid");
});

test("an answer is not written over by a hold that came too late", async () => {
  const [stalled, now] = await takenOver();
  await other.end(now, answer("mine"));
  await expect(one.end(stalled, answer("late"))).rejects.toMatchObject({ code: "PAYMENT_IN_USE" });
  expect(await one.find(sale)).toEqual({ state: "paid", answer: answer("mine") });
});

test("an answer that was paid stands, also when the one who took the sale over has dropped it", async () => {
  const [stalled, now] = await takenOver();
  await other.release(now, "unpaid");
  await one.end(stalled, answer("paid for"));
  expect(await other.find(sale)).toEqual({ state: "paid", answer: answer("paid for") });
});
