import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openClearing } from "#offchain/features/clearing/clearing.ts";
import type { ChallengeAnswer } from "#offchain/features/clearing/contract.ts";
import { cutRoot } from "#offchain/features/clearing/cut.ts";
import { clearingHandlers } from "#offchain/features/clearing/events.ts";
import { clear } from "#offchain/features/clearing/jobs.ts";
import { packRows, rootHashOf, unpackRows } from "#offchain/features/clearing/rules.ts";
import { dropChallenge, saveChallenge } from "#offchain/features/clearing/store/challenges.ts";
import { addCredits, creditedTo } from "#offchain/features/clearing/store/credits.ts";
import { reopenFailedClearing } from "#offchain/features/clearing/store/failed.ts";
import {
  applyRootPosted,
  endPayoutParts,
  retractRootPosted,
  rootByNumber,
} from "#offchain/features/clearing/store/roots.ts";
import type { HubBooks } from "#offchain/features/payments/service.ts";
import { lockBooks } from "#offchain/features/payments/store/channels.ts";
import type { Transactions } from "#offchain/platform/chain/port.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { Books, bookedChainId, hex } from "../../support/books.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";

const token = hex(20);
let server: TestServer;
let database: TestDatabase;
let sql: Sql;
let books: Books;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  sql = database.sql;
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const cut = () =>
  cutRoot({ sql, books: { lock: (tx, runId) => lockBooks(tx, runId, "alone") } }, books.runId, books.now);

test("whatever roots are cut while payments are booked, a root contains every receipt that names it", async () => {
  books = await Books.open(sql);
  books.policy = { ...books.policy, batchSize: 1_000_000, minAmount: 10n ** 12n };
  const payees = [hex(20), hex(20), hex(20)] as const;
  for (const payee of payees)
    await sql`INSERT INTO agent (address, name, role, registered_at)
              VALUES (${Buffer.from(payee.slice(2), "hex")}, ${payee}, 'seller', 0)`;
  const channels = await Promise.all(Array.from({ length: 4 }, () => books.openChannel()));
  await sql`UPDATE channel SET is_cleared = true`;
  const payers = new Map(
    (
      await sql<{ id: string; payer: string }[]>`
        SELECT '0x' || encode(channel_id, 'hex') AS id, '0x' || encode(payer, 'hex') AS payer FROM channel`
    ).map(({ id, payer }) => [id, payer]),
  );
  const receipts: { payee: string; cumulative: bigint; root: number }[] = [];
  const pay = async (channelId: `0x${string}`, at: number) => {
    const payment = {
      channelId,
      key: `credit ${at}`,
      maxClaimableAmount: BigInt(at * 10),
      signature: Buffer.alloc(64),
      amount: undefined,
      payee: payees[at % payees.length],
      ticketId: undefined,
      reference: undefined,
      submitter: payers.get(channelId) ?? null,
    };
    const [outcome] = await books.book([payment]);
    if (!outcome?.ok || !outcome.receipt.credit) throw new Error("not credited");
    const { cumulative, root: number } = outcome.receipt.credit;
    receipts.push({ payee: outcome.receipt.payee, cumulative: BigInt(cumulative), root: number });
  };
  const intake = async (channelId: `0x${string}`) => {
    for (let at = 2; at <= 26; at += 1) await pay(channelId, at);
  };
  // The batch that all share is open from here on.
  for (const channelId of channels) await pay(channelId, 1);
  const cuts: number[] = [];
  const cutter = async () => {
    while (receipts.length < 104) {
      const number = await cut();
      if (number !== null) {
        cuts.push(number);
        await sql`UPDATE clearing_root SET state = 'posted' WHERE number = ${number}`;
      }
    }
  };
  await Promise.all([...channels.map(intake), cutter()]);
  expect(cuts.length).toBeGreaterThan(2);
  expect(cuts).toEqual(cuts.map((_, at) => at + 1));
  for (const receipt of receipts) {
    const named = await rootByNumber(sql, books.runId, receipt.root);
    // Named by the newest receipts, and not cut yet.
    if (!named?.rows) continue;
    expect(named.root).toBe(rootHashOf(unpackRows(named.rows)));
    const line = unpackRows(named.rows).find(({ payee }) => payee === receipt.payee.toLowerCase());
    expect(line?.cumulative ?? 0n).toBeGreaterThanOrEqual(receipt.cumulative);
  }
  const sum = await Promise.all(payees.map((payee) => creditedTo(sql, books.runId, payee)));
  expect(sum.reduce((one, other) => one + other)).toBe(1_040n);
});

test("a root that would say nothing new is not cut", async () => {
  books = await Books.open(sql);
  expect(await cut()).toBeNull();
  await books.begin((tx) => addCredits(tx, books.runId, new Map([[hex(20), 5n]]), 0));
  expect(await cut()).toBe(1);
  await sql`UPDATE clearing_root SET state = 'posted' WHERE run_id = ${books.runId}`;
  expect(await cut()).toBeNull();
});

test("rows are packed as the contract reads them, and never cut short", () => {
  const rows = [{ payee: `0x${"ab".repeat(20)}` as const, cumulative: (1n << 96n) - 1n }];
  const packed = packRows(rows);
  expect(packed.toString("hex")).toBe("ab".repeat(20) + "ff".repeat(12));
  expect(unpackRows(`0x${packed.toString("hex")}`)).toEqual(rows);
  expect(() => packRows([{ payee: `0x${"ab".repeat(20)}`, cumulative: 1n << 96n }])).toThrow(RangeError);
});

test("of two challenges that made a root void, one that is taken back leaves it void", async () => {
  books = await Books.open(sql);
  const { runId } = books;
  await sql`
    INSERT INTO clearing_root (run_id, number, total, cut_at, rows, state) VALUES (${runId}, 1, 10, 0, '', 'posted')`;
  const handlers = clearingHandlers(hex(20), token, {} as HubBooks);
  const tell = (name: string, step: "apply" | "retract", args: object) =>
    books.begin(async (tx) => {
      const handler = handlers.find(({ event }) => event.name === name);
      await handler?.[step](tx, { args: { token, epoch: 1n, ...args }, runId, blockAt: 0 } as never);
    });
  const state = async () => (await rootByNumber(sql, runId, 1))?.state;
  for (const challengeId of [1n, 2n]) {
    await tell("Challenged", "apply", { challengeId, payee: hex(20), cumulative: 5n, answerBy: 9 });
    await tell("RootVoided", "apply", { challengeId });
  }
  await tell("RootVoided", "retract", { challengeId: 2n });
  expect(await state()).toBe("void");
  await tell("RootVoided", "retract", { challengeId: 1n });
  expect(await state()).toBe("posted");
});

test("a root that was paid twice stays paid when the second payout is taken back, and not when both are", async () => {
  books = await Books.open(sql);
  const { runId } = books;
  const noBooks = { lock: async () => {}, heldFor: async () => 0n, changePaidOut: async () => {} };
  const [clearing, unit] = [hex(20), hex(20)];
  const paid = clearingHandlers(clearing, unit, noBooks as never).find(
    ({ event }) => event.name === "PaidBatch",
  );
  const payouts = [1, 2].map((logIndex) => ({
    args: { token: unit, epoch: 1n, amount: 0n },
    ...{ runId, logIndex, blockHash: hex(32), blockAt: 100 * logIndex },
  }));
  await sql`
    INSERT INTO clearing_root (run_id, number, root, total, rows, state, cut_at)
    VALUES (${runId}, 1, ${Buffer.alloc(32)}, 1, ${Buffer.alloc(32)}, 'posted', 0)`;
  const paidAt = async () => (await rootByNumber(sql, runId, 1))?.paidAt;
  for (const event of payouts) await books.begin(async (tx) => paid?.apply(tx, event as never));
  expect(await paidAt()).toBe(100);
  await books.begin(async (tx) => paid?.retract(tx, payouts[1] as never));
  expect(await paidAt()).toBe(100);
  await books.begin(async (tx) => paid?.retract(tx, payouts[0] as never));
  expect(await paidAt()).toBeNull();
});

test("a payout that is final and of which no event is known is not waited for", async () => {
  books = await Books.open(sql);
  const { now, runId, operator } = books;
  const request = { key: "paid", to: token, data: "0x02", purpose: "clearing.payout" } as const;
  const id = await sql.begin((tx) =>
    enqueueTransaction(tx, { chainId: bookedChainId, address: operator }, request, now),
  );
  await sql`UPDATE chain_transaction SET state = 'mined', success = true, final = false WHERE id = ${id}`;
  await sql`
    INSERT INTO clearing_root (run_id, number, root, total, rows, state, cut_at, posted_at, payout_transaction_id)
    VALUES (${runId}, 1, ${Buffer.alloc(32)}, 1, ${Buffer.alloc(32)}, 'posted', 0, 0, ${id})`;
  expect(await endPayoutParts(sql, runId, 1, token)).toBe(false);
  await sql`UPDATE chain_transaction SET final = true WHERE id = ${id}`;
  expect(await endPayoutParts(sql, runId, 1, token)).toBe(true);
});

test.each([
  ["not at once", 0, 0],
  ["after its pause", 500, 1],
  ["also when a clock that was wrong says that it will fail in forty days", -40 * 86_400_000, 1],
])("a payout that failed is tried again, %s", async (_, agoMs, reopened) => {
  books = await Books.open(sql);
  const { now, runId, operator } = books;
  const id = await sql.begin((tx) =>
    enqueueTransaction(
      tx,
      { chainId: bookedChainId, address: operator },
      { key: "clearing:payout", to: token, data: "0x01", purpose: "clearing.payout" },
      now,
    ),
  );
  await sql`UPDATE chain_transaction SET state = 'failed', updated_at = ${now - agoMs} WHERE id = ${id}`;
  await sql`
    INSERT INTO clearing_root (run_id, number, root, total, rows, state, cut_at, payout_transaction_id)
    VALUES (${runId}, 1, ${Buffer.alloc(32)}, 1, ${Buffer.alloc(32)}, 'posted', 0, ${id})`;
  expect(await reopenFailedClearing(sql, runId, now)).toBe(reopened);
});

test("what a standing signs is in the root that it names, though one is cut while it is read", async () => {
  books = await Books.open(sql);
  const { runId } = books;
  const payee = hex(20);
  const credit = (amount: bigint) =>
    books.begin((tx) => addCredits(tx, runId, new Map([[payee, amount]]), books.now));
  await credit(100n);
  // The first look at the credit takes so long that a root is cut and another payment booked meanwhile.
  const slow = ((strings: TemplateStringsArray, ...values: never[]) =>
    strings[0]?.includes("SELECT credited FROM clearing_payee")
      ? cut().then(async () => {
          await credit(50n);
          return sql(strings, ...values);
        })
      : sql(strings, ...values)) as unknown as Sql;
  const signed: { cumulative: bigint; root: number }[] = [];
  const standing = openClearing({
    sql: slow,
    clock: { now: () => 0 },
    view: { runNow: () => runId, status: () => ({ runId, head: 0n, indexedTo: 0n }) },
    contract: { token, paidTo: async () => 0n, finalEpoch: async () => 0 },
    signCredit: async (said: (typeof signed)[number]) => {
      signed.push(said);
      return "0x";
    },
  } as never);
  await standing.standing(payee);
  const [{ cumulative, root: number } = { cumulative: 0n, root: 0 }] = signed;
  const root = await rootByNumber(sql, runId, number);
  const line = root?.rows ? unpackRows(root.rows).find((row) => row.payee === payee) : undefined;
  expect(cumulative, "or it is in a root that is still to be cut").toBeLessThanOrEqual(
    line?.cumulative ?? 150n,
  );
  expect(signed).toMatchObject([{ cumulative: 150n, root: 2 }]);
});

describe("challenges of a root", () => {
  const calls: { key: string; count: number; isIndependent: boolean | undefined }[] = [];

  /** A pass of clearing that answers `challenges` of the same root; the answers as they went to the sender. */
  async function answered(challenges: number) {
    calls.length = 0;
    const { runId, now, operator } = books;
    const contract = {
      address: token,
      now: async () => 0,
      answerAll: (answers: readonly ChallengeAnswer[]) => {
        for (const { cumulative, proof } of answers) expect([cumulative, proof.length]).toEqual([9n, 2]);
        const told = answers.map(({ challengeId }) => String(challengeId).padStart(8, "0"));
        return { to: token, data: `0x${told.join("")}` };
      },
    };
    const enqueueTx: Transactions["enqueueTx"] = async (tx, request) => {
      calls.push({
        key: request.key,
        count: (request.data.length - 2) / 8,
        isIndependent: request.isIndependent,
      });
      return enqueueTransaction(tx as Tx, { chainId: bookedChainId, address: operator }, request, now);
    };
    const options = {
      sql,
      clock: { now: () => now },
      log: { error() {}, info() {}, warn() {} },
      contract,
      told: new Map(),
    };
    await clear({ ...options, runId: () => runId, sender: { enqueueTx } } as never);
    expect(calls.reduce((sum, { count }) => sum + count, 0)).toBe(challenges);
    return calls.map(({ count }) => count);
  }

  test("are answered together, however many there are, and in halves what failed", async () => {
    books = await Books.open(sql);
    const { runId } = books;
    const rows = ["11", "22", "33"].map((digits) => ({
      payee: `0x${digits.repeat(20)}` as const,
      cumulative: 9n,
    }));
    await sql`
      INSERT INTO clearing_root (run_id, number, total, cut_at, rows, state, posted_at) VALUES (${runId}, 1, 27, 0, ${packRows(rows)}, 'posted', 0)`;
    for (let id = 1n; id <= 150n; id += 1n)
      await books.begin((tx) =>
        saveChallenge(tx, runId, {
          challengeId: id,
          rootNumber: 1,
          payee: rows[0]?.payee ?? "",
          cumulative: 5n,
          answerBy: 9,
        }),
      );
    expect(await answered(150)).toEqual([64, 64, 22]);
    expect(
      calls.every(({ isIndependent }) => isIndependent),
      "settlement does not wait for them",
    ).toBe(true);
    expect(await answered(0)).toEqual([]);
    const [first] = await sql<{ id: bigint }[]>`
      UPDATE chain_transaction SET state = 'failed', updated_at = 0
      WHERE id = (SELECT transaction_id FROM clearing_challenge WHERE run_id = ${runId} AND challenge_id = 1) RETURNING id`;
    expect(first).toBeDefined();
    expect(await answered(64)).toEqual([32, 32]);
    // A reorganisation took two of them back, and the number of one is another challenge's now.
    await books.begin(async (tx) => {
      for (const id of [65n, 66n]) await dropChallenge(tx, runId, id);
      await saveChallenge(tx, runId, {
        challengeId: 65n,
        rootNumber: 1,
        payee: rows[1]?.payee ?? "",
        cumulative: 7n,
        answerBy: 9,
      });
    });
    expect(await answered(1)).toEqual([1]);
  });
});

test("a root that only the chain knew is gone when its event is taken back, one that was cut here stays", async () => {
  books = await Books.open(sql);
  const { runId } = books;
  await sql`
    INSERT INTO clearing_root (run_id, number, total, cut_at, rows, state) VALUES (${runId}, 1, 10, 0, '', 'cut')`;
  for (const number of [1, 2])
    await books.begin(async (tx) => {
      await applyRootPosted(tx, runId, { number, root: hex(32), total: 10n }, 5);
      await retractRootPosted(tx, runId, number);
    });
  expect(await rootByNumber(sql, runId, 1)).toMatchObject({ state: "cut", postedAt: null });
  expect(await rootByNumber(sql, runId, 2)).toBeNull();
});
