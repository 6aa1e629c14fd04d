import type { Hex } from "viem";
import { describe, expect, test } from "vitest";
import { keyState } from "#offchain/platform/chain/sender/keyStore.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import { type Books, bookedChainId as chainId, eachWithBooks } from "../../../support/books.ts";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const by = () => ({ chainId, address: books.operator });
const to = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const request = { key: "execute", to, data: "0x01", purpose: "test", isOnce: true } as const;
const enqueue = (change: { data?: Hex; content?: Hex; isOnce?: boolean } = {}) =>
  books.sql.begin((tx) => enqueueTransaction(tx, by(), { ...request, ...change }, books.now));

const end = (state: "failed" | "mined", success: boolean | null, final: boolean) =>
  books.sql`UPDATE chain_transaction SET state = ${state}, success = ${success}, final = ${final} WHERE run_id = ${books.runId} AND key = 'execute'`;

const states = async () =>
  (await books.sql`SELECT state FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY id`).map(
    (row) => row.state,
  );

describe("the key of a call that takes effect once", () => {
  test("stands for its transaction while that is on its way, and when it did its work", async () => {
    expect(await keyState(books.sql, by(), "execute")).toBe("free");
    const id = await enqueue();
    expect(await enqueue()).toBe(id);
    await end("mined", true, true);
    expect(await keyState(books.sql, by(), "execute")).toBe("standing");
    expect(await enqueue()).toBe(id);
  });

  test.each([
    ["was not sent", "failed", null, true],
    ["reverted", "mined", false, false],
    ["reverted for good", "mined", false, true],
  ] as const)("is free again once the transaction %s", async (_, state, success, final) => {
    const id = await enqueue();
    await end(state, success, final);
    expect(await keyState(books.sql, by(), "execute")).toBe("failed");
    const ids = await Promise.all([enqueue(), enqueue(), enqueue()]);
    expect(ids[0]).not.toBe(id);
    expect(new Set(ids).size, "whoever asks at once asks for one").toBe(1);
    expect(await states()).toEqual([state, "prepared"]);
  });

  test.each([
    ["not yet", 0, 1],
    ["after its pause", 60_000, 2],
    ["at once where a clock that was wrong says that it will fail in forty days", -40 * 86_400_000, 2],
  ])("of a call with a pause is free again %s", async (_, laterMs, sent) => {
    const pausing = { ...request, againAfterMs: 60_000 };
    const add = () => books.sql.begin((tx) => enqueueTransaction(tx, by(), pausing, books.now));
    await add();
    await end("failed", null, true);
    await books.sql`UPDATE chain_transaction SET updated_at = ${books.now - laterMs} WHERE run_id = ${books.runId}`;
    await add();
    expect(await states()).toHaveLength(sent);
  });

  test("of any other call stays with the transaction that failed", async () => {
    const id = await enqueue({ isOnce: false });
    await end("failed", null, true);
    expect(await enqueue({ isOnce: false })).toBe(id);
  });

  test("stands for what it means, where other calldata asks for the same", async () => {
    const id = await enqueue({ content: "0xaa" });
    expect(await enqueue({ content: "0xaa", data: "0x02" })).toBe(id);
    await expect(enqueue({ data: "0x02" })).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
    await end("failed", null, true);
    expect(await enqueue({ content: "0xaa", data: "0x02" })).not.toBe(id);
    const last =
      await books.sql`SELECT data FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY id DESC LIMIT 1`;
    expect(last).toMatchObject([{ data: Buffer.from([2]) }]);
  });
});
