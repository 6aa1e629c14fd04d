import { beforeEach, describe, expect, test } from "vitest";
import { Books } from "#offchain/features/ledger/books/books.ts";
import { missing } from "#offchain/features/ledger/books/wanted.ts";
import type {
  AccountName,
  LedgerOperation,
  LedgerOutcome,
} from "#offchain/features/ledger/rules/transfer.ts";

const [outside, alice, bob]: AccountName[] = ["chain:1", "agent:0xa", "agent:0xb"];
let books: Books;
let key = 0;

beforeEach(() => {
  books = new Books();
  for (const name of [outside, alice, bob]) if (name) books.addAbsent(name, "USDC");
  books.open(1, 1_000);
});

const move = (
  debit: AccountName,
  credit: AccountName,
  amount: bigint,
  more: object = {},
): LedgerOperation => ({
  kind: "transfer",
  key: `key ${++key}`,
  debit,
  credit,
  unit: "USDC",
  amount,
  ...more,
});
const codes = (outcomes: LedgerOutcome[]) => outcomes.map((one) => (one.ok ? "ok" : one.error.code));
const balance = (name: AccountName) => books.accountOf(name, "USDC")?.balance;

describe("books in memory", () => {
  test("move what is there, and refuse what is not without a trace", () => {
    const outcomes = books.apply([move("chain:1", "agent:0xa", 10n), move("agent:0xa", "agent:0xb", 11n)]);
    expect(codes(outcomes)).toEqual(["ok", "INSUFFICIENT_FUNDS"]);
    expect([balance("chain:1"), balance("agent:0xa"), balance("agent:0xb")]).toEqual([-10n, 10n, 0n]);
  });

  test("take linked operations back together", () => {
    books.apply([move("chain:1", "agent:0xa", 10n)]);
    const draft = books.open(2, 2_000);
    const [before, transfers] = [books.lastTransfer, books.lastAccount];
    const link = { link: "both" };
    const outcomes = books.apply([
      move("agent:0xa", "agent:0xb", 6n, link),
      move("agent:0xa", "agent:0xb", 6n, link),
    ]);
    expect(codes(outcomes)).toEqual(["TRANSFER_LINK_FAILED", "INSUFFICIENT_FUNDS"]);
    expect([balance("agent:0xa"), balance("agent:0xb")]).toEqual([10n, 0n]);
    expect([books.lastTransfer, books.lastAccount]).toEqual([before, transfers]);
    expect(draft.isEmpty).toBe(true);
  });

  test("answer the same key with the first outcome, and another request with a conflict", () => {
    const operation = move("chain:1", "agent:0xa", 10n);
    const [first, again, other] = books.apply([operation, operation, { ...operation, amount: 9n } as never]);
    expect(first).toMatchObject({ ok: true, replayed: false });
    expect(again).toMatchObject({ ok: true, replayed: true });
    expect(other).toMatchObject({ ok: false, error: { code: "IDEMPOTENCY_CONFLICT" } });
    expect(balance("agent:0xa")).toBe(10n);
  });

  test("say what they must be told before they can decide", () => {
    expect(missing(books, [move("chain:1", "agent:0xa", 1n)], false)).toBeNull();
    const wanted = missing(books, [move("chain:1", "agent:0xc", 1n)], true);
    expect([...(wanted?.accounts.values() ?? [])]).toEqual([{ name: "agent:0xc", unit: "USDC" }]);
    expect(wanted?.keys.size).toBe(1);
  });
});
