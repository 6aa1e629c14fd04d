import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Random } from "#offchain/demo/random.ts";
import { ClearingContract } from "#offchain/features/clearing/contract.ts";
import { clearingHandlers } from "#offchain/features/clearing/events.ts";
import { type ClearOptions, clear } from "#offchain/features/clearing/jobs.ts";
import { challengeWindowMs } from "#offchain/features/clearing/rules.ts";
import { addCredits } from "#offchain/features/clearing/store/credits.ts";
import { lastEpoch, nextEpoch } from "#offchain/features/clearing/store/epochs.ts";
import { lockBooks } from "#offchain/features/payments/store/channels.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { Books, bookedChainId, hex } from "../../support/books.ts";
import { chance } from "../../support/chance.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { type Call, ClearingModel, type ModelEvent } from "./clearingModel.ts";

// A few payees are many: an epoch takes several calls, and so do its payouts.
vi.mock("#offchain/features/clearing/rules.ts", async (actual) => ({
  ...(await actual<object>()),
  rowsAtOnce: 2,
  payeesAtOnce: 2,
}));

const token = hex(20);
const clearing = hex(20);
/** So many of the newest blocks may be reorganised. */
const finalityBlocks = 3;
const killed = new Error("killed");
let server: TestServer;
let database: TestDatabase;
let sql: Sql;
let world: World;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  sql = database.sql;
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});
beforeEach(async () => {
  world = new World(await Books.open(sql));
});

/** The service's clearing on a chain that is a model, with a sender and an indexer that a test moves by hand. */
class World {
  readonly books: Books;
  readonly chain = new ClearingModel(token);
  readonly complaints: string[] = [];
  readonly receipts: { payee: string; cumulative: bigint; epoch: number }[] = [];
  readonly demanders = new Set<string>();
  /** In parts of a hundred: how often a step is killed before it is durable. */
  kills = 0;
  random: Random = { below: () => 99 };
  isBonded = true;
  isListed = true;
  received = 10n ** 30n;
  areClaimed = true;
  readonly #contract: ClearingContract;
  readonly #told = new Map<string, string>();
  #finalTo = 0;
  /** Calls that wait to be mined once more, after a reorganisation. */
  #waiting: Call[] = [];

  constructor(books: Books) {
    this.books = books;
    const reader = {} as never;
    this.#contract = new ClearingContract(reader, {
      clearing,
      usdc: token,
      staking: hex(20),
      parameterRegistry: hex(20),
    });
    Object.assign(this.#contract, {
      now: async () => this.chain.now,
      terms: async () => ({ isListed: this.isListed, leastCredit: this.chain.least, exitCap: 10n ** 9n }),
      standingOf: async (number: number) => ({
        rows: this.chain.epoch(number).rows,
        received: this.received,
        settled: 0n,
      }),
    });
  }

  /** Credits a payee, and keeps the receipt that it is given. */
  async credit(payee: string, amount: bigint): Promise<void> {
    const { runId, now } = this.books;
    const receipt = await this.books.begin(async (tx) => {
      await lockBooks(tx, runId, "shared");
      const before = await addCredits(tx, runId, new Map([[payee, amount]]), now);
      return { cumulative: (before.get(payee) ?? 0n) + amount, epoch: await nextEpoch(tx, runId) };
    });
    this.receipts.push({ payee, ...receipt });
  }

  /** A pass of the job; whether it came to its end. */
  async pass(): Promise<boolean> {
    this.books.now += 100_000;
    try {
      await clear(this.#options());
      return true;
    } catch (error) {
      if (error !== killed) throw error;
      return false;
    }
  }

  /** The chain takes what was sent, and these calls of payees before or after it. */
  async mine(extra: { before?: Call[]; after?: Call[] } = {}, limit = 10): Promise<void> {
    const calls = [...this.#waiting, ...(await this.#sent())].slice(0, limit);
    this.#waiting.splice(0, limit);
    await this.#block([...(extra.before ?? []), ...calls, ...(extra.after ?? [])]);
  }

  /** The newest blocks are gone: what the service sent waits again, payees' calls are lost. */
  async reorganise(depth: number): Promise<void> {
    for (let at = 0; at < depth && this.chain.blocks > this.#finalTo; at += 1) {
      const { events, calls } = this.chain.retract();
      for (const event of events) await this.#tell(event, "retract");
      this.#waiting.unshift(...calls.filter((call) => "id" in call));
      for (const call of calls) if ("id" in call) await this.#mark(call.id, "sent");
    }
  }

  /** Whether the service knows what the chain says, and no receipt contradicts an epoch that names it. */
  async check(): Promise<void> {
    const { runId } = this.books;
    const rows = await sql<{ payee: Uint8Array; credited: bigint; assigned: bigint; open: bigint }[]>`
      SELECT p.payee, p.credited, p.assigned, coalesce((
        SELECT sum(r.amount) FROM clearing_row r JOIN clearing_epoch e ON e.run_id = r.run_id AND e.number = r.number
        WHERE r.run_id = p.run_id AND r.payee = p.payee AND e.sealed_at IS NULL AND NOT e.is_void), 0)::numeric(38,0) AS open
      FROM clearing_payee p WHERE p.run_id = ${runId}`;
    for (const { payee, assigned, open } of rows)
      expect(assigned - open, "what is in sealed epochs, or was demanded").toBe(this.chain.credited(hexOf(payee)));
    const { last } = this.chain;
    const { sealedAt, isVoid } = this.chain.epoch(last);
    if (sealedAt === null || isVoid) return;
    for (const { payee, cumulative, epoch } of this.receipts)
      if (epoch <= last) expect(cumulative - this.chain.credited(payee)).toBeLessThan(this.chain.least);
  }

  /** Lets everything come to its end. */
  async settle(): Promise<void> {
    this.kills = 0;
    for (let at = 0; at < 40; at += 1) {
      await this.pass();
      await this.mine();
      if (at % 8 === 7) this.chain.now += challengeWindowMs;
    }
    await this.pass();
  }

  /** Transactions that were sent and not mined, in their order. */
  async #sent(): Promise<Call[]> {
    const rows = await sql<{ id: bigint; data: Uint8Array }[]>`
      SELECT id, data FROM chain_transaction
      WHERE run_id = ${this.books.runId} AND state = 'prepared' AND purpose LIKE 'clearing.%' ORDER BY id`;
    return rows.map(({ id, data }) => ({ id, data: hexOf(data) }));
  }

  async #block(calls: Call[]): Promise<void> {
    const { events, successes } = this.chain.mine(calls, hex(32));
    this.#finalTo = Math.max(this.#finalTo, this.chain.blocks - finalityBlocks);
    for (const { name, args } of events)
      if (name === "Demanded") this.demanders.add(String(args.payee).toLowerCase());
    for (const [at, call] of calls.entries())
      if ("id" in call) await this.#mark(call.id, successes[at] ? "mined" : "failed");
    for (const event of events) await this.#tell(event, "apply");
  }

  async #mark(id: bigint, state: "sent" | "mined" | "failed"): Promise<void> {
    await sql`
      UPDATE chain_transaction SET state = ${state}, success = ${state === "mined"}, updated_at = 0 WHERE id = ${id}`;
  }

  /** The indexer tells it, once: a kill before that is durable lets it tell again. */
  async #tell(event: ModelEvent, step: "apply" | "retract"): Promise<void> {
    const handler = clearingHandlers(clearing, token, this.#books).find((one) => one.event.name === event.name);
    const told = { ...event, runId: this.books.runId, blockNumber: BigInt(this.chain.blocks) };
    for (let isDone = false; !isDone; )
      await this.books
        .begin(async (tx) => {
          await handler?.[step](tx, told as never);
          this.#mayKill();
          isDone = true;
        })
        .catch((error) => {
          if (error !== killed) throw error;
        });
  }

  #mayKill(): void {
    if (this.random.below(100) < this.kills) throw killed;
  }

  get #books() {
    return {
      lock: (tx: Tx, runId: bigint) => lockBooks(tx, runId, "alone"),
      heldFor: async () => 0n,
      changePaidOut: async () => {},
      areClaimed: async () => this.areClaimed,
    } as never;
  }

  #options(): ClearOptions {
    const { runId, now, operator } = this.books;
    return {
      sql,
      clock: { now: () => now },
      log: {
        info: () => {},
        warn: () => {},
        error: (_: object, message: string) => void this.complaints.push(message),
      } as never,
      contract: this.#contract,
      books: this.#books,
      runId: () => runId,
      sender: {
        enqueueTx: async (tx, request) => {
          const id = await enqueueTransaction(
            tx as Tx,
            { chainId: bookedChainId, address: operator },
            request,
            now,
          );
          this.#mayKill();
          return id;
        },
      },
      isBonded: async () => this.isBonded,
      finalTo: () => BigInt(this.#finalTo),
      refreshOffice: async () => this.#mayKill(),
      told: this.#told,
      epochEveryMs: 1,
    };
  }
}

const last = () => lastEpoch(sql, world.books.runId);

describe("an epoch", () => {
  const payees = Array.from({ length: 5 }, () => hex(20)).toSorted() as [string, ...string[]];
  const creditAll = async (amount = 100n) => {
    for (const payee of payees) await world.credit(payee, amount);
  };
  const standing = async () => {
    const { filled = 0, callTo = 0, sealedAt = null } = (await last()) ?? {};
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
    expect(await last()).toMatchObject({ number: 1, paidRows: 5, payoutAttempts: 3 });
  });

  test("goes on with what the chain has when a call was lost, and one that is repeated adds nothing", async () => {
    await creditAll();
    await begin();
    await world.mine();
    await world.pass();
    await sql`UPDATE chain_transaction SET state = 'failed', updated_at = 0 WHERE state = 'prepared'`;
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
    expect(await last()).toMatchObject({ number: 2, total: 511n, payees: 5 });
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
    expect(await last(), "nobody's credit is worth a row now").toBeNull();
    world.chain.least = 10n;
    await world.credit(first, 1n);
    await begin();
    const [placed] = await sql<{ payee: Uint8Array }[]>`
      SELECT payee FROM clearing_row WHERE run_id = ${world.books.runId} AND place = 0`;
    expect(placed && hexOf(placed.payee)).toBe(first);
    world.chain.least = 21n;
    await world.mine();
    await world.pass();
    expect(await last()).toMatchObject({ isGivenUp: true, filled: 2 });
    await world.mine();
    expect(await last()).toMatchObject({ isVoid: true });
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
    await sql`INSERT INTO clearing_epoch (run_id, number, total, cut_at, sealed_at) VALUES (${runId}, 1, 0, 0, 0)`;
    await world.pass();
    expect(await last()).toMatchObject({ number: 1 });
    expect(world.complaints).toEqual([expect.stringContaining("another database")]);
    await sql`UPDATE clearing_epoch SET is_void = true WHERE run_id = ${runId}`;
    await world.pass();
    expect(await last()).toMatchObject({ number: 2, payees: 5 });
  });

  test("whose payouts fail holds the next one back for a while alone, and is paid when they work again", async () => {
    await creditAll();
    for (let at = 0; at < 4; at += 1) {
      await world.pass();
      await world.mine();
    }
    world.chain.now += challengeWindowMs;
    await world.credit(payees[0], 50n);
    const fail = () => sql`
      UPDATE chain_transaction SET state = 'failed', updated_at = 0
      WHERE run_id = ${world.books.runId} AND state = 'prepared' AND purpose = 'clearing.payout'`;
    for (let tries = 0; tries < 4; tries += 1) {
      await world.pass();
      expect(await last(), "it is waited for").toMatchObject({ number: 1, payoutFailures: tries });
      await fail();
    }
    await world.pass();
    expect(await last()).toMatchObject({ number: 2, payees: 1 });
    await world.settle();
    for (const payee of payees) expect(world.chain.paid(payee)).toBe(payee === payees[0] ? 150n : 100n);
  });
});

describe("whatever is killed, reorganised, demanded and voided meanwhile", () => {
  /** Something that happens, by chance. */
  async function happen(random: Random, payees: readonly string[]): Promise<void> {
    const any = () => payees[random.below(payees.length)] ?? "";
    const demand = (): Call[] => {
      const receipt = world.receipts[random.below(world.receipts.length)];
      return receipt ? [{ demanded: receipt.payee, amount: receipt.cumulative }] : [];
    };
    const what = random.below(12);
    if (what < 4) await world.credit(any(), BigInt(random.below(40) + 1));
    else if (what < 7) await world.pass();
    else if (what === 7) await world.mine({ before: demand() });
    else if (what === 8) await world.mine({ after: demand() });
    else if (what === 9) await world.mine({}, random.below(3));
    else if (what === 10) await world.reorganise(random.below(finalityBlocks + 1));
    else {
      const epoch = world.chain.challengeable;
      if (epoch !== null && random.below(3) === 0) await world.mine({ after: [{ voided: epoch }] });
      else world.chain.now += random.below(challengeWindowMs);
    }
  }

  test("the service knows what the chain credits, contradicts no receipt, and pays everybody in the end", async () => {
    const random = chance();
    for (let story = 0; story < 12; story += 1) {
      world = new World(await Books.open(sql));
      world.random = random;
      world.kills = 15;
      const payees = Array.from({ length: 6 }, () => hex(20));
      for (let step = 0; step < 120; step += 1) {
        await happen(random, payees);
        await world.check();
      }
      await world.settle();
      await world.check();
      for (const payee of payees) {
        const credited = world.receipts.findLast((receipt) => receipt.payee === payee)?.cumulative ?? 0n;
        expect(credited - world.chain.credited(payee)).toBeLessThan(world.chain.least);
        // Whoever demands is there to be paid by itself.
        if (!world.demanders.has(payee)) expect(world.chain.paid(payee)).toBe(world.chain.credited(payee));
      }
    }
  });
});
