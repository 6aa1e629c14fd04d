import { expect, test } from "vitest";
import { ledgerKind } from "#offchain/features/anchors/contract.ts";
import { anchorHandlers } from "#offchain/features/anchors/events.ts";
import { listAnchors, type SignedHeads, saveSigned } from "#offchain/features/anchors/store.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { ChainEvent } from "#offchain/platform/chain/event.ts";
import { type Books, bookedChainId, eachWithBooks, hex } from "../../support/books.ts";

const address = hex(20);
const [handler] = anchorHandlers(address);

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const anchored = (epoch: bigint, root: `0x${string}`, kind: number = ledgerKind) => ({
  chainId: bookedChainId,
  runId: books.runId,
  blockNumber: 1n,
  blockHash: hex(32),
  blockAt: 1_000,
  transactionHash: hex(32),
  transactionIndex: 0,
  logIndex: 0,
  address,
  contract: "ReceiptAnchor",
  name: "Anchored",
  args: { kind, epoch, root, count: 1n, chain: hex(32) },
});
const apply = (event: ChainEvent) => books.begin(async (tx) => handler?.apply(tx, event));
const retract = (event: ChainEvent) => books.begin(async (tx) => handler?.retract(tx, event));
const stored = () => listAnchors(books.sql, books.runId, { limit: 9 });

async function sign(epoch: bigint): Promise<SignedHeads> {
  const heads = await openLedger(books.sql, Date).heads();
  const signed = { epoch, heads, root: hex(32), takenAt: 1, signedBy: hex(20), signature: hex(65) };
  expect(await saveSigned(books.sql, books.runId, signed)).toBe(true);
  return signed;
}

test("what was signed here knows by which transaction it is anchored, and waits again when that is taken back", async () => {
  const { root } = await sign(0n);
  const before = await stored();
  const event = anchored(0n, root);
  await apply(event);
  const { transactionHash, blockAt } = event;
  expect(await stored()).toEqual([{ ...before[0], anchored: { root, at: blockAt, transactionHash } }]);
  await retract(event);
  expect(await stored()).toEqual(before);
});

test("another's root under the same number is noted beside what was signed here, and changes none of it", async () => {
  await sign(0n);
  const before = await stored();
  const event = anchored(0n, hex(32));
  await apply(event);
  expect(await stored()).toMatchObject([{ signed: before[0]?.signed, anchored: { root: event.args.root } }]);
  await retract(event);
  expect(await stored()).toEqual(before);
});

test("a root under a number that nothing was signed for is kept, so that it is used by nobody here, until it is taken back", async () => {
  const event = anchored(0n, hex(32));
  await apply(event);
  expect(await stored()).toMatchObject([{ epoch: 0n, signed: null, anchored: { root: event.args.root } }]);
  const late = { epoch: 0n, heads: [], root: hex(32), takenAt: 1, signedBy: hex(20), signature: hex(65) };
  expect(await saveSigned(books.sql, books.runId, late)).toBe(false);
  await retract(event);
  expect(await stored()).toEqual([]);
});

test("anchors of carbon and energy are no ledger's", async () => {
  for (const kind of [0, 1]) {
    await sign(BigInt(kind));
    const before = await stored();
    await apply(anchored(BigInt(kind), hex(32), kind));
    expect(await stored()).toEqual(before);
    await retract(anchored(BigInt(kind), hex(32), kind));
    expect(await stored()).toEqual(before);
  }
});
