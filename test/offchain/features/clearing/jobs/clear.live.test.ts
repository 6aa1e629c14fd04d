import { describe, expect, test } from "vitest";
import { challengeWindowMs } from "#offchain/features/clearing/rules.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { type Books, eachWithBooks, hex } from "../../../support/books.ts";
import { World } from "./world.ts";

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
    expect(await world.last(), "as the chain says").toMatchObject({ total: 380n, payees: 5 });
  });

  test.each([
    ["in front of its row", { before: true }],
    ["behind its row", { before: false }],
  ])(
    "pays a payee once who demands %s, and also when a reorganisation takes the demand back",
    async (_, { before }) => {
      const [first] = payees;
      for (const isTakenBack of [false, true]) {
        await creditAll();
        await begin();
        const demand = [{ demanded: first, amount: world.receiptOf(first) }];
        await world.mine(before ? { before: demand } : { after: demand });
        await world.check();
        if (isTakenBack) await world.reorganise(1);
        await world.settle();
        await world.check();
      }
      for (const payee of payees) expect(world.chain.credited(payee)).toBe(200n);
      for (const payee of payees) expect(world.chain.paid(payee)).toBe(200n);
    },
  );

  test("has the row of whom a demand has paid: a reorganisation that takes the demand back leaves nobody out", async () => {
    const [first, second = ""] = payees;
    for (const payee of [first, second]) await world.credit(payee, 100n);
    await world.mine({ after: [{ demanded: first, amount: 100n }] });
    await begin();
    await world.mine();
    expect(await world.last()).toMatchObject({ payees: 2, total: 100n, sealedAt: expect.any(Number) });
    await world.reorganise(2);
    await world.mine();
    expect(await world.last()).toMatchObject({ payees: 2, total: 200n, sealedAt: expect.any(Number) });
    await world.check();
    await world.settle();
    for (const payee of [first, second]) expect(world.chain.paid(payee)).toBe(100n);
  });

  test("is cut and filled though somebody demands a little in every block", async () => {
    await creditAll();
    const [first] = payees;
    for (let demanded = 10n; demanded <= 100n; demanded += 10n) {
      await world.pass();
      await world.mine({ before: [{ demanded: first, amount: demanded }] });
      await world.check();
    }
    expect(await standing()).toMatchObject({ filled: 5, isSealed: true });
    await world.settle();
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
    const { chain } = world;
    chain.isBonded = false;
    await world.pass();
    await world.pass();
    chain.isBonded = true;
    chain.isListed = false;
    await world.pass();
    expect(await standing()).toMatchObject({ callTo: 0 });
    chain.isListed = true;
    chain.received = 499n;
    for (let at = 0; at < 4; at += 1) {
      await world.pass();
      await world.mine();
    }
    expect(await standing(), "all but the call that seals it").toMatchObject({ filled: 4, callTo: 4 });
    expect(world.complaints, "each is told once").toEqual([
      expect.stringContaining("takes no rows of an epoch 1 Clearing_BondTooLow"),
      expect.stringContaining("takes no rows of an epoch 1 Clearing_TokenNotListed"),
      "Clearing is short: send it this much USDC, or its bond is at risk 1 1",
    ]);
    chain.received = 500n;
    await world.pass();
    expect(await standing()).toMatchObject({ callTo: 5 });
  });

  test("is not filled beyond what is indexed", async () => {
    await creditAll();
    await begin();
    const { sql, runId } = world.books;
    const [sent] = await sql<{ data: Uint8Array }[]>`
      UPDATE chain_transaction SET state = 'failed', updated_at = 0 WHERE run_id = ${runId} RETURNING data`;
    world.chain.mine([{ id: 0n, data: hexOf(sent?.data ?? new Uint8Array()) }], hex(32));
    await world.pass();
    expect(await standing()).toMatchObject({ filled: 0, callTo: 0 });
    expect(world.complaints, "which is no trouble").toEqual([]);
  });

  test("has the rows that it was cut with, also when the least credit is raised meanwhile", async () => {
    await creditAll();
    await world.pass();
    world.chain.least = 101n;
    await begin();
    await world.settle();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(100n);
    await world.credit(payees[0], 100n);
    await world.settle();
    expect(await world.last(), "not due").toMatchObject({ number: 1 });
  });

  test("of which the chain has as much already adds nothing", async () => {
    await creditAll();
    for (const payee of payees) await world.mine({ after: [{ demanded: payee, amount: 100n }] });
    // Not a unit more than what they were given.
    world.chain.received = 500n;
    await world.settle();
    await world.check();
    expect(await world.last()).toMatchObject({ number: 1, payees: 5, total: 0n });
    expect(world.complaints).toEqual([]);
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(100n);
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
