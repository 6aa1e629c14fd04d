import { expect, test } from "vitest";
import { PaidCredits } from "#offchain/features/solvency/snapshot/paidCredits.ts";

const hash = (block: number, fork = 0) => `0x${fork}${String(block).padStart(63, "0")}` as const;
const at = (block: number, fork = 0) => ({ blockNumber: BigInt(block), blockHash: hash(block, fork) });
const onChain = async (block: bigint) => hash(Number(block));
const books = (credits: Record<string, [credited: bigint, payable: bigint]>, runId = 1n) => ({
  runId,
  credited: new Map(
    Object.entries(credits).map(([payee, [credited, payable]]) => [payee, { credited, payable }]),
  ),
});
const paid = (amounts: Record<string, bigint>) => new Map(Object.entries(amounts));

test("whoever is in no epoch is not asked for, however many there are", () => {
  const known = new PaidCredits();
  expect(known.toAsk(books({ dust: [1n, 0n], due: [9n, 5n] }))).toEqual(["due"]);
});

test("whoever was paid all that was payable is not asked for again, once the block is final", async () => {
  const known = new PaidCredits();
  const standing = books({ ada: [9n, 5n], bob: [9n, 5n] });
  known.toAsk(standing);
  known.note(at(10), paid({ ada: 5n, bob: 3n }));
  await known.settle(9n, onChain);
  expect(known.toAsk(standing), "a reorganisation may take the block back").toEqual(["ada", "bob"]);
  await known.settle(10n, onChain);
  expect(known.toAsk(standing)).toEqual(["bob"]);
  expect(known.with(paid({ bob: 4n }))).toEqual(paid({ ada: 5n, bob: 4n }));
  expect(known.toAsk(books({ ada: [9n, 6n], bob: [9n, 5n] })), "more is payable").toEqual(["ada", "bob"]);
});

test("what was read on a fork is forgotten, and what is not known yet waits", async () => {
  const known = new PaidCredits();
  const standing = books({ ada: [9n, 5n] });
  known.toAsk(standing);
  known.note(at(10, 1), paid({ ada: 5n }));
  known.note(at(11), paid({ ada: 5n }));
  await known.settle(10n, onChain);
  expect(known.toAsk(standing)).toEqual(["ada"]);
  await known.settle(11n, async () => null);
  expect(known.toAsk(standing)).toEqual(["ada"]);
  await known.settle(11n, onChain);
  expect(known.toAsk(standing)).toEqual([]);
});

test("another run of the chain has paid nobody", async () => {
  const known = new PaidCredits();
  known.toAsk(books({ ada: [9n, 5n] }));
  known.note(at(1), paid({ ada: 5n }));
  await known.settle(1n, onChain);
  expect(known.toAsk(books({ ada: [9n, 5n] }, 2n))).toEqual(["ada"]);
  expect(known.with(paid({}))).toEqual(paid({}));
});
