import { describe, expect, test } from "vitest";
import { challengeWindowMs } from "#offchain/features/clearing/rules.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { type Books, eachWithBooks, hex } from "../../../support/books.ts";
import { finalityBlocks, World } from "./world.ts";

let world: World;
eachWithBooks((books: Books) => {
  world = new World(books);
});

describe("an epoch", () => {
  const payees = Array.from({ length: 5 }, () => hex(20)).toSorted() as [string, ...string[]];
  const creditAll = async (amount = 100n) => {
    for (const payee of payees) await world.credit(payee, amount);
  };
  const standing = async () => {
    const { filled = 0, callTo = 0, sealedAt = null } = (await world.last()) ?? {};
    return { filled, callTo, isSealed: sealedAt !== null };
  };
  /** Passes until an epoch is cut, and one more that sends its first call. */
  const begin = async () => {
    await world.pass();
    await world.pass();
  };

  test("is filled by one call at a time, each after the last one is known to be on the chain", async () => {
    await creditAll();
    await begin();
    for (const callTo of [2, 4]) {
      await world.pass();
      expect(await standing()).toEqual({ filled: callTo - 2, callTo, isSealed: false });
      await world.mine();
      await world.pass();
    }
    await world.mine();
    expect(await standing()).toEqual({ filled: 5, callTo: 5, isSealed: true });
    await world.check();
    await world.settle();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(100n);
    expect(await world.last()).toMatchObject({ number: 1, paidRows: 5, payoutAttempts: 3 });
  });

  test("goes on with what the chain has when a call was lost, and one that is repeated adds nothing", async () => {
    await creditAll();
    await begin();
    await world.mine();
    await world.pass();
    await world.books
      .sql`UPDATE chain_transaction SET state = 'failed', updated_at = 0 WHERE state = 'prepared'`;
    await world.pass();
    expect(await standing()).toEqual({ filled: 2, callTo: 4, isSealed: false });
    await world.settle();
    await world.check();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(100n);
  });

  test("in whose middle a payee demands is not short of a receipt afterwards, whoever's row was there", async () => {
    await creditAll();
    await begin();
    const [first, , , , fifth = ""] = payees;
    await world.mine({ after: [first, fifth].map((demanded) => ({ demanded, amount: 60n })) });
    await world.check();
    await world.settle();
    await world.check();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(100n);
    expect(world.chain.epoch(1).total, "5 of 100, less what two of them demanded").toBe(380n);
  });

  test("is neither cut nor filled while a reorganisation may take a demand back", async () => {
    await creditAll();
    const [first] = payees;
    await world.mine({ after: [{ demanded: first, amount: 60n }] });
    await begin();
    expect(await world.last()).toBeNull();
    for (let block = 0; block < finalityBlocks; block += 1) await world.mine();
    await world.pass();
    expect(await world.last()).toMatchObject({ total: 440n });
    await world.mine({ after: [{ demanded: first, amount: 80n }] });
    await world.pass();
    expect(await standing()).toMatchObject({ callTo: 0 });
    await world.settle();
    await world.check();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(100n);
  });

  test("that a receipt voids is cut again, with what was credited since", async () => {
    await creditAll();
    for (let at = 0; at < 4; at += 1) {
      await world.pass();
      await world.mine();
    }
    await world.credit(payees[0], 11n);
    await world.mine({ after: [{ voided: 1 }] });
    await world.settle();
    await world.check();
    expect(await world.last()).toMatchObject({ number: 2, total: 511n, payees: 5 });
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(payee === payees[0] ? 111n : 100n);
  });

  test("whose voiding a reorganisation takes back stands, and nobody is credited twice", async () => {
    await creditAll();
    for (let at = 0; at < 4; at += 1) {
      await world.pass();
      await world.mine();
    }
    await world.mine({ after: [{ voided: 1 }] });
    await begin();
    await world.reorganise(1);
    await world.settle();
    await world.check();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(100n);
  });

  test("is not filled before its payments are claimed, nor without bond, money or a listed token", async () => {
    await creditAll();
    world.areClaimed = false;
    await begin();
    await world.pass();
    expect(await standing()).toMatchObject({ callTo: 0 });
    world.areClaimed = true;
    world.isBonded = false;
    await world.pass();
    await world.pass();
    world.isBonded = true;
    world.isListed = false;
    await world.pass();
    world.isListed = true;
    world.received = 499n;
    await world.pass();
    await world.pass();
    expect(await standing()).toMatchObject({ callTo: 0 });
    expect(world.complaints, "each is told once").toEqual([
      expect.stringContaining("bond is too low, or another one is in office"),
      expect.stringContaining("does not list the token"),
      expect.stringContaining("Clearing is short"),
    ]);
    world.received = 500n;
    await world.pass();
    expect(await standing()).toMatchObject({ callTo: 2 });
  });

  test("is given up when the rows that are left may not be sent any more, and dropped when none were", async () => {
    const [first, second, ...others] = payees;
    for (const payee of [first, second]) await world.credit(payee ?? "", 100n);
    for (const payee of others) await world.credit(payee, 20n);
    await world.pass();
    world.chain.least = 101n;
    await world.pass();
    expect(await world.last(), "nobody's credit is worth a row now").toBeNull();
    world.chain.least = 10n;
    await world.credit(first, 1n);
    await begin();
    const [placed] = await world.books.sql<{ payee: Uint8Array }[]>`
      SELECT payee FROM clearing_row WHERE run_id = ${world.books.runId} AND place = 0`;
    expect(placed && hexOf(placed.payee)).toBe(first);
    world.chain.least = 21n;
    await world.mine();
    await world.pass();
    expect(await world.last()).toMatchObject({ isGivenUp: true, filled: 2 });
    await world.mine();
    expect(await world.last()).toMatchObject({ isVoid: true });
    await world.check();
    await world.settle();
    await world.check();
    expect([world.chain.paid(first), world.chain.paid(second ?? "")]).toEqual([101n, 100n]);
    world.chain.least = 10n;
    await world.credit(first, 10n);
    await world.settle();
    for (const payee of others) expect(world.chain.paid(payee)).toBe(20n);
  });

  test("that another database filled holds the next one back, until it is void", async () => {
    await creditAll();
    const { runId } = world.books;
    await world.books
      .sql`INSERT INTO clearing_epoch (run_id, number, total, cut_at, sealed_at) VALUES (${runId}, 1, 0, 0, 0)`;
    await world.pass();
    expect(await world.last()).toMatchObject({ number: 1 });
    expect(world.complaints).toEqual([expect.stringContaining("another database")]);
    await world.books.sql`UPDATE clearing_epoch SET is_void = true WHERE run_id = ${runId}`;
    await world.pass();
    expect(await world.last()).toMatchObject({ number: 2, payees: 5 });
  });

  test("whose payouts fail holds the next one back for a while alone, and is paid when they work again", async () => {
    await creditAll();
    for (let at = 0; at < 4; at += 1) {
      await world.pass();
      await world.mine();
    }
    world.wait(challengeWindowMs);
    await world.credit(payees[0], 50n);
    const fail = () => world.books.sql`
      UPDATE chain_transaction SET state = 'failed', updated_at = 0
      WHERE run_id = ${world.books.runId} AND state = 'prepared' AND purpose = 'clearing.payout'`;
    for (let tries = 0; tries < 4; tries += 1) {
      await world.pass();
      expect(await world.last(), "it is waited for").toMatchObject({ number: 1, payoutFailures: tries });
      await fail();
    }
    await world.pass();
    expect(await world.last()).toMatchObject({ number: 2, payees: 1 });
    await world.settle();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(payee === payees[0] ? 150n : 100n);
  });
});
