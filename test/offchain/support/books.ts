import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { UnitCode } from "#offchain/core/unit.ts";
import { knownAgents } from "#offchain/features/agents/store.ts";
import { readFootprints } from "#offchain/features/carbon/store.ts";
import { addCredits } from "#offchain/features/clearing/store/credits.ts";
import { nextEpoch } from "#offchain/features/clearing/store/epochs.ts";
import { completedWork } from "#offchain/features/energy/completedWork.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { Postings, type ToldClaim } from "#offchain/features/payments/events/postings.ts";
import {
  type BookedPayment,
  type BookingParties,
  bookPayments,
} from "#offchain/features/payments/intake/booking.ts";
import {
  type BatchPolicies,
  type BatchPolicy,
  batchPolicies,
} from "#offchain/features/payments/rules/batch.ts";
import type { VerifiedPayment } from "#offchain/features/payments/rules/group.ts";
import { ChannelTokens } from "#offchain/features/payments/rules/tokens.ts";
import type { BatchView, EventPlace } from "#offchain/features/payments/service.ts";
import { batchById } from "#offchain/features/payments/store/batches.ts";
import { type ChannelRow, lockChannels, saveChannel } from "#offchain/features/payments/store/channels.ts";
import { soldChannels } from "#offchain/features/x402/store/channels.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { startTestServer, type TestDatabase, type TestServer } from "./database.ts";

type Hex = `0x${string}`;
export const hex = (bytes: number): Hex => `0x${randomBytes(bytes).toString("hex")}`;

/** Gives each test of a file books of its own, in one database. */
export function eachWithBooks(use: (books: Books) => void): void {
  let server: TestServer;
  let database: TestDatabase;
  beforeAll(async () => {
    server = await startTestServer();
    database = await server.create();
  });
  afterAll(async () => {
    await database?.close();
    await server?.stop();
  });
  beforeEach(async () => use(await Books.open(database.sql)));
}

/** The chain that the books are of. */
export const bookedChainId = 31_337;

/** Channels may be in USDC, and in AVT, of which 500 base units close a batch. */
export const bookedTokens = new ChannelTokens({ address: hex(20), minAmount: 1_000n }, [
  { unit: "AVT", address: hex(20), minAmount: 500n },
]);

/** What each channel holds at first, base units. */
export const deposit = 1_000_000n;

const agents = { known: (addresses: readonly string[], tx?: Sql | Tx) => knownAgents(inside(tx), addresses) };
const energy = {
  completedWork: (ids: readonly string[], tx?: Sql | Tx) =>
    completedWork(
      { footprints: (wanted, within) => readFootprints(inside(within), wanted) },
      ids,
      inside(tx),
    ),
};
const hub: BookingParties["hub"] = {
  office: async () => 0,
  async onBooked(tx, runId, added, now) {
    return { before: await addCredits(tx, runId, added, now), epoch: await nextEpoch(tx, runId) };
  },
};

function inside(tx: Sql | Tx | undefined): Sql | Tx {
  if (!tx) throw new Error("asked outside the transaction that books");
  return tx;
}

/** Channels, payments and batches in a real database, with a chain that is only told of: each event as the test says. */
export class Books {
  readonly sql: Sql;
  readonly runId: bigint;
  readonly operator = hex(20);
  readonly postings: Postings;
  readonly ledger: Ledger;
  /** Epoch ms. */
  now = 1_000_000;
  policy: BatchPolicy = {
    mode: "price-aware",
    batchSize: 3,
    maxDelayMs: 60_000,
    minAmount: 1_000n,
    urgentAmount: 1_000_000n,
  };

  readonly policies: BatchPolicies = (unit) => batchPolicies(this.policy, bookedTokens)(unit);

  private constructor(sql: Sql, runId: bigint) {
    this.sql = sql;
    this.runId = runId;
    this.ledger = openLedger(sql, { now: () => this.now });
    this.postings = new Postings(this.ledger);
  }

  /** A chain of its own; the one before it is over. */
  static async open(sql: Sql): Promise<Books> {
    await sql`UPDATE chain_run SET ended_at = 0`;
    const [runId] = await sql<{ id: bigint }[]>`
      INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
      VALUES (${bookedChainId}, ${bytesOf(hex(32))}, 0, 0, ${bytesOf(hex(32))}, 0) RETURNING id`;
    return new Books(sql, runId?.id ?? 0n);
  }

  begin<Result>(run: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.sql.begin(run) as Promise<Result>;
  }

  event(transactionHash = hex(32)): EventPlace {
    return { blockHash: hex(32), logIndex: 0, blockAt: this.now, transactionHash };
  }

  /** @param payerAuthorizer the zero address: the payer signs for itself */
  async openChannel(payerAuthorizer = hex(20), unit: UnitCode = "USDC"): Promise<Hex> {
    const channelId = hex(32);
    const config = {
      payer: hex(20),
      payerAuthorizer,
      receiver: hex(20),
      receiverAuthorizer: this.operator,
      token: bookedTokens.byUnit(unit)?.address ?? hex(20),
      withdrawDelay: 900,
      salt: hex(32),
    };
    await this.begin((tx) =>
      saveChannel(tx, { runId: this.runId, channelId, config, unit, isCleared: false, now: this.now }),
    );
    await this.change(channelId, deposit);
    return channelId;
  }

  /** Money enters the channel, or leaves it. */
  change(channelId: Hex, delta: bigint): Promise<void> {
    return this.begin(async (tx) =>
      this.postings.changeBalance(tx, await this.#locked(tx, channelId), delta, this.event()),
    );
  }

  book(payments: readonly VerifiedPayment[]): Promise<BookedPayment[]> {
    const { runId, policies, now } = this;
    const books = this.ledger.keepBooks();
    const parties = { books, agents, energy, hub, sold: soldChannels };
    return this.begin((tx) =>
      bookPayments(tx, payments, { ...parties, runId, policies, office: 0, now, areKeysSought: false }),
    );
  }

  /** @returns the payment and its batch */
  async pay(channelId: Hex, cumulative: bigint): Promise<{ paymentId: bigint; batchId: bigint }> {
    const payment = {
      channelId,
      key: `pay ${cumulative}`,
      maxClaimableAmount: cumulative,
      signature: randomBytes(64),
      amount: undefined,
      payee: undefined,
      ticketId: undefined,
      reference: undefined,
      submitter: null,
    };
    const [outcome] = await this.book([payment]);
    if (!outcome?.ok) throw outcome?.error ?? new Error("no outcome");
    return { paymentId: BigInt(outcome.receipt.paymentId), batchId: BigInt(outcome.receipt.batchId) };
  }

  /** A claim is mined and its event indexed; the sender does not know yet. */
  claim(channelId: Hex, after: bigint, place: EventPlace): Promise<void> {
    return this.claims([[channelId, after]], place);
  }

  /** One event claims several channels, or one more than once. */
  claims(told: readonly (readonly [channelId: Hex, after: bigint])[], place: EventPlace): Promise<void> {
    return this.begin(async (tx) => {
      const claims: ToldClaim[] = [];
      for (const [channelId, after] of told)
        claims.push({ channel: await this.#locked(tx, channelId), after });
      await this.postings.applyClaims(tx, claims, place);
    });
  }

  /** The batch's transaction, signed: its hash is stored before it is broadcast. */
  async signed(batchId: bigint): Promise<Hex> {
    const hash = hex(32);
    await this.sql`
      INSERT INTO chain_attempt (hash, transaction_id, nonce, raw, gas, max_fee_per_gas, max_priority_fee_per_gas, signed_at)
      SELECT ${bytesOf(hash)}, transaction_id, 0, '', 0, 0, 0, 0 FROM batch WHERE id = ${batchId}`;
    return hash;
  }

  async shown(batchId: bigint): Promise<BatchView> {
    const batch = await batchById(this.sql, bookedChainId, batchId);
    if (!batch) throw new Error(`no batch ${batchId}`);
    return batch;
  }

  /** [balance, pending] of the channel's ledger account. */
  async account(channelId: Hex): Promise<[bigint, bigint]> {
    const [row] = await this.sql<{ balance: bigint; pending: bigint }[]>`
      SELECT a.balance, a.pending FROM channel c JOIN account a ON a.name = 'channel:' || c.id AND a.unit = c.unit
      WHERE c.channel_id = ${bytesOf(channelId)}`;
    return [row?.balance ?? 0n, row?.pending ?? 0n];
  }

  async #locked(tx: Tx, channelId: Hex): Promise<ChannelRow> {
    const channel = (await lockChannels(tx, this.runId, [channelId])).get(channelId);
    if (!channel) throw new Error(`no channel ${channelId}`);
    return channel;
  }
}
