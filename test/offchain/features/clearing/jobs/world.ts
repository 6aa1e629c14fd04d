import { expect } from "vitest";
import type { Random } from "#offchain/demo/random.ts";
import { ClearingContract } from "#offchain/features/clearing/contract.ts";
import { clearingHandlers } from "#offchain/features/clearing/events.ts";
import { type ClearOptions, clear } from "#offchain/features/clearing/jobs/clear.ts";
import { challengeWindowMs } from "#offchain/features/clearing/rules.ts";
import { addCredits } from "#offchain/features/clearing/store/credits.ts";
import { type ClearingEpoch, lastEpoch, nextEpoch } from "#offchain/features/clearing/store/epochs.ts";
import { lockBooks } from "#offchain/features/payments/store/channels.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { type Books, bookedChainId, hex } from "../../../support/books.ts";
import { type Call, ClearingModel, type ModelEvent } from "./clearingModel.ts";

const token = hex(20);
const clearing = hex(20);
/** So many of the newest blocks may be reorganised. */
export const finalityBlocks = 3;
const hourMs = 3_600_000;
const killed = new Error("killed");

/** The service's clearing on a chain that is a model, with a sender and an indexer that a test moves by hand. */
export class World {
  readonly books: Books;
  readonly chain = new ClearingModel(token);
  readonly complaints: string[] = [];
  readonly receipts: { payee: string; cumulative: bigint; epoch: number }[] = [];
  readonly demanders = new Set<string>();
  /** In parts of a hundred: how often a step is killed before it is durable. */
  kills = 0;
  random: Random = { below: () => 99 };
  areClaimed = true;
  readonly #contract: ClearingContract;
  readonly #told = new Map<string, string>();
  #finalTo = 0;
  /** Calls that wait to be mined once more, after a reorganisation. */
  #waiting: Call[] = [];
  /** The block of each call that was mined and is not final. */
  readonly #minedIn = new Map<bigint, number>();

  constructor(books: Books) {
    this.books = books;
    const reader = {} as never;
    this.#contract = new ClearingContract(reader, {
      clearing,
      usdc: token,
      staking: hex(20),
      parameterRegistry: hex(20),
    });
    Object.assign(this.#contract, { now: async () => this.chain.now });
  }

  get #sql(): Sql {
    return this.books.sql;
  }

  last(): Promise<ClearingEpoch | null> {
    return lastEpoch(this.#sql, this.books.runId);
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

  /** What a payee's newest receipt says. */
  receiptOf(payee: string): bigint {
    return this.receipts.findLast((receipt) => receipt.payee === payee)?.cumulative ?? 0n;
  }

  /** A pass of the job; whether it came to its end. */
  async pass(): Promise<boolean> {
    this.books.now += 100_000;
    await this.#makeFinal();
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
      for (const call of calls) if ("id" in call) await this.#markSent(call.id);
    }
  }

  /** Time goes by without a block. Over hours no reorganisation reaches back. */
  wait(ms: number): void {
    this.chain.now += ms;
    if (ms >= hourMs) this.#finalTo = this.chain.blocks;
  }

  /** Whether the chain credits what the service says, and no more than it owes; and no receipt contradicts an epoch. */
  async check(): Promise<void> {
    const { runId } = this.books;
    const rows = await this.#sql<{ payee: Uint8Array; credited: bigint; said: bigint }[]>`
      SELECT p.payee, p.credited, coalesce((
        SELECT max(r.total) FROM clearing_row r JOIN clearing_epoch e ON e.run_id = r.run_id AND e.number = r.number
        WHERE r.run_id = p.run_id AND r.payee = p.payee AND e.sealed_at IS NOT NULL AND NOT e.is_void), 0)::numeric(38,0) AS said
      FROM clearing_payee p WHERE p.run_id = ${runId}`;
    for (const { payee, credited, said } of rows) {
      const onChain = this.chain.credited(hexOf(payee));
      expect(onChain, "what sealed rows say").toBeGreaterThanOrEqual(said);
      expect(onChain, "paid once").toBeLessThanOrEqual(credited);
      // Without a demand the service knows it exactly.
      if (!this.demanders.has(hexOf(payee))) expect(onChain).toBe(said);
    }
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
      if (at % 8 === 7) this.wait(challengeWindowMs);
    }
    await this.pass();
  }

  /** Transactions that were sent and not mined, in their order. */
  async #sent(): Promise<Call[]> {
    const rows = await this.#sql<{ id: bigint; data: Uint8Array }[]>`
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
      if ("id" in call) await this.#markMined(call.id, successes[at] === true);
    for (const event of events) await this.#tell(event, "apply");
  }

  async #markMined(id: bigint, success: boolean): Promise<void> {
    this.#minedIn.set(id, this.chain.blocks);
    await this.#sql`
      UPDATE chain_transaction SET state = 'mined', success = ${success}, updated_at = 0 WHERE id = ${id}`;
  }

  async #markSent(id: bigint): Promise<void> {
    this.#minedIn.delete(id);
    await this.#sql`UPDATE chain_transaction SET state = 'sent', success = NULL WHERE id = ${id}`;
  }

  /** A call that reverted has failed for good when its block is final, and not before. */
  async #makeFinal(): Promise<void> {
    for (const [id, block] of this.#minedIn) {
      if (block > this.#finalTo) continue;
      this.#minedIn.delete(id);
      await this.#sql`UPDATE chain_transaction SET final = true WHERE id = ${id}`;
    }
  }

  /** The indexer tells it, once: a kill before that is durable lets it tell again. */
  async #tell(event: ModelEvent, step: "apply" | "retract"): Promise<void> {
    const handler = clearingHandlers(clearing, token, this.#books).find(
      (one) => one.event.name === event.name,
    );
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
      sql: this.#sql,
      clock: { now: () => now },
      log: {
        info: () => {},
        warn: () => {},
        error: (about: object, message: string) =>
          void this.complaints.push([message, ...Object.values(about)].join(" ")),
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
      refusal: async (data) => this.chain.refusal(data),
      terms: async () => ({ leastCredit: this.chain.least, exitCap: 10n ** 9n }),
      refreshOffice: async () => {
        this.#mayKill();
        return 0;
      },
      told: this.#told,
      epochEveryMs: 1,
      // A few payees are many: an epoch takes several calls, and so do its payouts.
      atOnce: { rows: 2, payees: 2 },
    };
  }
}
