import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BatchView } from "#offchain/actions/micropayments/port.ts";
import type { BatchPolicy, Reading } from "#offchain/domain/batchPolicy.ts";
import { BursarError } from "#offchain/domain/error.ts";
import { type SettleOptions, settle } from "#offchain/jobs/settle.ts";
import { createLog } from "#offchain/observe/log.ts";
import { batchById, forceBatches } from "#offchain/store/batches.ts";
import { bytesOf } from "#offchain/store/bytes.ts";
import { lockChannels, saveChannel, setWithdrawable } from "#offchain/store/channels.ts";
import {
  applyClaim,
  changeBalance,
  type EventPlace,
  endEpoch,
  retractClaims,
} from "#offchain/store/claims.ts";
import type { Tx } from "#offchain/store/database.ts";
import { bookPayments } from "#offchain/store/payments.ts";
import { paymentById } from "#offchain/store/receipts.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../support/database.ts";

type Hex = `0x${string}`;
const hex = (bytes: number): Hex => `0x${randomBytes(bytes).toString("hex")}`;
const operator = hex(20);
const dear: Reading = { now: 20n, median: 10n };
const cheap: Reading = { now: 10n, median: 10n };

let server: TestServer;
let database: TestDatabase;
let epochId: bigint;
let now: number;
let world: { gas: Reading | null; energy: Reading | null; nativePrice: bigint | null };
let policy: BatchPolicy;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

/** Each test has a chain of its own. */
beforeEach(async () => {
  await database.sql`UPDATE chain_epoch SET ended_at = 0`;
  now = 1_000_000;
  world = { gas: cheap, energy: null, nativePrice: null };
  policy = {
    mode: "price-aware",
    batchSize: 3,
    maxDelayMs: 60_000,
    minAmount: 1_000n,
    urgentAmount: 1_000_000n,
  };
  const [epoch] = await database.sql<{ id: bigint }[]>`
    INSERT INTO chain_epoch (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
    VALUES (31337, ${bytesOf(hex(32))}, 0, 0, ${bytesOf(hex(32))}, 0) RETURNING id`;
  epochId = epoch?.id ?? 0n;
});

const begin = <Result>(run: (tx: Tx) => Promise<Result>) => database.sql.begin(run) as Promise<Result>;

const event = (transactionHash = hex(32)): EventPlace => ({
  blockHash: hex(32),
  logIndex: 0,
  blockAt: now,
  transactionHash,
});

/** A channel that holds 1 USDC. */
async function openChannel(): Promise<Hex> {
  const channelId = hex(32);
  const config = {
    payer: hex(20),
    payerAuthorizer: hex(20),
    receiver: hex(20),
    receiverAuthorizer: operator,
    token: hex(20),
    withdrawDelay: 900,
    salt: hex(32),
  };
  await begin(async (tx) => {
    const channel = await saveChannel(tx, { epochId, channelId, config, isCleared: false, now });
    await changeBalance(tx, channel, 1_000_000n, event());
  });
  return channelId;
}

/** @returns the payment and its batch */
async function pay(channelId: Hex, cumulative: bigint): Promise<{ paymentId: bigint; batchId: bigint }> {
  const payment = {
    channelId,
    key: `pay ${cumulative}`,
    requestHash: randomBytes(32),
    maxClaimableAmount: cumulative,
    signature: randomBytes(64),
    amount: undefined,
    payee: undefined,
    ticketId: undefined,
    reference: undefined,
    submitter: null,
  };
  const [outcome] = await begin((tx) => bookPayments(tx, epochId, [payment], policy, now));
  if (!outcome?.ok) throw outcome?.error ?? new Error("no outcome");
  return { paymentId: BigInt(outcome.receipt.paymentId), batchId: BigInt(outcome.receipt.batchId) };
}

const pass = (change: Partial<SettleOptions> = {}) =>
  settle({
    sql: database.sql,
    clock: { now: () => now },
    log: createLog({ level: "silent", clock: { now: () => now } }),
    policy,
    market: {
      gas: async () => world.gas,
      energy: async () => world.energy,
      nativePrice: world.nativePrice,
    },
    chainId: 31337,
    epoch: () => epochId,
    settlement: hex(20),
    sender: { sender: operator } as SettleOptions["sender"],
    onBatch: () => {},
    ...change,
  });

async function shown(batchId: bigint): Promise<BatchView> {
  const batch = await batchById(database.sql, batchId);
  if (!batch) throw new Error(`no batch ${batchId}`);
  return batch;
}
const reasons = async (batchId: bigint) =>
  (await shown(batchId)).decisions.map(({ action, reason }) => `${action} ${reason}`);

/** The chain mines the batch's transaction and its event is indexed; the sender does not know yet. */
async function claim(channelId: Hex, after: bigint, place: EventPlace): Promise<void> {
  await begin(async (tx) => {
    const channel = (await lockChannels(tx, epochId, [channelId])).get(channelId);
    if (!channel) throw new Error("no channel");
    await applyClaim(tx, channel, after, place);
  });
}

/** The batch's transaction, signed: its hash is stored before it is broadcast. */
async function signed(batchId: bigint): Promise<Hex> {
  const hash = hex(32);
  await database.sql`
    INSERT INTO chain_attempt (hash, transaction_id, nonce, raw, gas, max_fee_per_gas, max_priority_fee_per_gas, signed_at)
    SELECT ${bytesOf(hash)}, transaction_id, 0, '', 0, 0, 0, 0 FROM batch WHERE id = ${batchId}`;
  return hash;
}

describe("a full batch in the price-aware mode", () => {
  test("waits for cheap gas and clean energy, and keeps every decision with its figures", async () => {
    const channel = await openChannel();
    const { batchId } = await pay(channel, 100n);
    await pay(channel, 200n);
    await pay(channel, 300n);
    expect(await shown(batchId)).toMatchObject({ state: "closed", closedBy: "size", decisions: [] });

    world = { ...world, gas: dear, energy: dear };
    await pass();
    now += 1_000;
    await pass();
    expect(await shown(batchId)).toMatchObject({
      state: "closed",
      decisions: [
        {
          action: "wait",
          reason: "gas",
          at: 1_000_000,
          until: 1_060_000,
          gas: { now: "20", median: "10" },
          energy: { now: "20", median: "10" },
          cost: null,
        },
      ],
    });
    world.gas = cheap;
    await pass();
    world.energy = cheap;
    await pass();
    expect(await shown(batchId)).toMatchObject({ state: "submitted" });
    expect(await reasons(batchId)).toEqual(["wait gas", "wait energy", "settle size"]);
  });

  test("is settled at its delay, however dear gas is", async () => {
    const channel = await openChannel();
    const { batchId } = await pay(channel, 2_000n);
    world.gas = dear;
    await pass();
    expect(await shown(batchId)).toMatchObject({ state: "open" });
    now += policy.maxDelayMs;
    await pass();
    expect(await shown(batchId)).toMatchObject({ state: "submitted", closedBy: "value" });
  });

  test("is settled at once when a payer withdraws", async () => {
    const [leaving, staying] = [await openChannel(), await openChannel()];
    const { batchId } = await pay(leaving, 100n);
    await pay(staying, 100n);
    await pay(staying, 200n);
    const { batchId: next } = await pay(staying, 300n);
    world.gas = dear;
    await begin((tx) => setWithdrawable(tx, epochId, leaving, now + 900_000));
    await pass();
    expect(await reasons(batchId)).toEqual(["settle withdrawal"]);
    expect(await shown(batchId)).toMatchObject({ state: "submitted", closedBy: "size" });
    expect(await shown(next), "nobody in it withdraws").toMatchObject({ state: "open" });
  });

  test("is settled when it is flushed by hand, and the open one with it", async () => {
    const channel = await openChannel();
    const { batchId } = await pay(channel, 1n);
    await pay(channel, 2n);
    await pay(channel, 3n);
    const { batchId: open } = await pay(channel, 4n);
    world.gas = dear;
    await pass();
    expect(await forceBatches(database.sql, epochId, now)).toBe(open);
    await pass();
    expect(await reasons(batchId)).toEqual(["wait gas", "settle forced"]);
    expect(await shown(open)).toMatchObject({ state: "submitted", closedBy: "forced" });
  });
});

test("a batch at its age that is not worth its gas waits until it is", async () => {
  const channel = await openChannel();
  const { batchId } = await pay(channel, 100n);
  // 67,400 gas for one voucher, at 1 gwei and 3 USDC for a token: 203 base units.
  world = { ...world, gas: { now: 10n ** 9n, median: 10n ** 9n }, nativePrice: 3_000_000n };
  now += policy.maxDelayMs;
  await pass();
  expect(await shown(batchId)).toMatchObject({
    state: "open",
    decisions: [{ action: "wait", reason: "worth", until: null, cost: { amount: "0.000203", unit: "USDC" } }],
  });
  await pay(channel, 300n);
  await pass();
  expect(await reasons(batchId)).toEqual(["wait worth", "settle age"]);
  expect(await shown(batchId)).toMatchObject({ state: "submitted", closedBy: "age" });
});

test("a batch that cannot be judged does not hold back the next one", async () => {
  const channel = await openChannel();
  const { batchId: first } = await pay(channel, 1_000n);
  await pass();
  await database.sql`UPDATE chain_transaction SET state = 'failed'`;
  const { batchId: second } = await pay(await openChannel(), 1_000n);
  const simulate = () => Promise.reject(new Error("the node is away"));
  await expect(pass({ sender: { sender: operator, simulate } as never })).rejects.toThrow("away");
  expect(await shown(first)).toMatchObject({ state: "closed" });
  expect(await shown(second)).toMatchObject({ state: "submitted" });
});

describe("a voucher that the contract does not take", () => {
  /** Refuses a channel's claims while it is in the set; else the transaction would succeed. */
  function sender(refused: ReadonlySet<Hex>): SettleOptions["sender"] {
    const simulate = async ({ data }: { data: Hex }) => {
      for (const channelId of refused)
        if (data.includes(channelId.slice(2)))
          throw new BursarError("TRANSACTION_REVERTED", "reverted", {
            facts: { contract: "BatchSettlement", error: "BatchSettlement_ClaimExceedsBalance" },
          });
    };
    return { sender: operator, simulate } as unknown as SettleOptions["sender"];
  }

  /** A batch of two channels whose first transaction failed. */
  async function failedOnce() {
    const [bad, good] = [await openChannel(), await openChannel()];
    const { batchId, paymentId } = await pay(bad, 400n);
    await pay(good, 700n);
    await forceBatches(database.sql, epochId, now);
    await pass();
    await database.sql`UPDATE chain_transaction SET state = 'failed'`;
    return { bad, good, batchId, paymentId };
  }

  test("is left out and named, and the rest of its batch settles", async () => {
    const { bad, good, batchId } = await failedOnce();
    await pass({ sender: sender(new Set([bad])) });
    expect(await shown(batchId)).toMatchObject({
      state: "submitted",
      refused: [
        {
          channelId: bad,
          amount: { amount: "0.0004", unit: "USDC" },
          reason: "BatchSettlement_ClaimExceedsBalance",
          at: now,
        },
      ],
    });
    await claim(good, 700n, event(await signed(batchId)));
    expect(await shown(batchId)).toMatchObject({ state: "settled" });
  });

  test("is tried again, and claimed once the contract takes it", async () => {
    const { bad, good, batchId, paymentId } = await failedOnce();
    const refused = new Set([bad]);
    await pass({ sender: sender(refused) });
    await claim(good, 700n, event(await signed(batchId)));
    refused.clear();
    await pass({ sender: sender(refused) });
    expect(await shown(batchId), "not at once").toMatchObject({ state: "settled" });
    now += 30_000;
    await pass({ sender: sender(refused) });
    expect(await shown(batchId)).toMatchObject({ state: "submitted", refused: [] });
    const hash = await signed(batchId);
    await claim(bad, 400n, event(hash));
    expect(await shown(batchId)).toMatchObject({ state: "settled", transactionHash: hash });
    expect(await paymentById(database.sql, paymentId)).toMatchObject({ transaction_hash: hash });
  });

  test("is tried less and less often while it is refused", async () => {
    const { bad, good, batchId } = await failedOnce();
    const [refused, seen] = [sender(new Set([bad])), { times: 0 }];
    const counting = {
      ...refused,
      simulate: (call: Parameters<typeof refused.simulate>[0]) => {
        seen.times += 1;
        return refused.simulate(call);
      },
    };
    await pass({ sender: refused });
    await claim(good, 700n, event(await signed(batchId)));
    for (let minutes = 0; minutes < 10; minutes += 0.5) {
      now += 30_000;
      await pass({ sender: counting });
    }
    // After 30 s, 1, 2 and 4 minutes, each time with its payout and without.
    expect(seen.times).toBe(4 * 2);
    expect(await shown(batchId)).toMatchObject({ state: "settled" });
  });

  test("alone in its batch loses it, until the contract takes it", async () => {
    const channel = await openChannel();
    const { batchId } = await pay(channel, 2_000n);
    await forceBatches(database.sql, epochId, now);
    await pass();
    await database.sql`UPDATE chain_transaction SET state = 'failed'`;
    await pass({ sender: sender(new Set([channel])) });
    expect(await shown(batchId)).toMatchObject({ state: "lost", refused: [{ channelId: channel }] });
    now += 30_000;
    await pass({ sender: sender(new Set()) });
    expect(await shown(batchId)).toMatchObject({ state: "submitted", refused: [] });
  });
});

describe("a settled batch", () => {
  test("names its transaction from the same moment on, and so do its receipts", async () => {
    const channel = await openChannel();
    const { batchId, paymentId } = await pay(channel, 1_000n);
    await pass();
    const hash = await signed(batchId);
    await claim(channel, 1_000n, event(hash));
    expect(await shown(batchId)).toMatchObject({ state: "settled", transactionHash: hash });
    expect(await paymentById(database.sql, paymentId)).toMatchObject({ transaction_hash: hash });
  });

  test("forgets it when a reorganisation takes it back", async () => {
    const channel = await openChannel();
    const { batchId, paymentId } = await pay(channel, 1_000n);
    await pass();
    const place = event(await signed(batchId));
    await claim(channel, 1_000n, place);
    await begin((tx) => retractClaims(tx, epochId, place));
    expect(await shown(batchId)).toMatchObject({ state: "submitted", transactionHash: null });
    expect(await paymentById(database.sql, paymentId)).toMatchObject({ transaction_hash: null });
  });

  test("that a later voucher's transaction claimed names that one, and waits anew when it is taken back", async () => {
    const channel = await openChannel();
    const { batchId } = await pay(channel, 100n);
    const place = event();
    await claim(channel, 500n, place);
    await forceBatches(database.sql, epochId, now);
    await pass();
    expect(await shown(batchId)).toMatchObject({ state: "settled", transactionHash: place.transactionHash });
    await begin((tx) => retractClaims(tx, epochId, place));
    expect(await shown(batchId)).toMatchObject({ state: "closed", transactionHash: null, settledAt: null });
    await pass();
    expect(await shown(batchId)).toMatchObject({ state: "submitted" });
  });
});

describe("a reorganisation that takes a deposit away and brings it back", () => {
  const deposit = 1_000_000n;

  /** [balance, pending] of the channel's ledger account. */
  async function account(channelId: Hex): Promise<[bigint, bigint]> {
    const [row] = await database.sql<{ balance: bigint; pending: bigint }[]>`
      SELECT a.balance, a.pending FROM channel c JOIN account a ON a.name = 'channel:' || c.id
      WHERE c.channel_id = ${bytesOf(channelId)}`;
    return [row?.balance ?? 0n, row?.pending ?? 0n];
  }
  async function change(channelId: Hex, delta: bigint): Promise<void> {
    await begin(async (tx) => {
      const channel = (await lockChannels(tx, epochId, [channelId])).get(channelId);
      if (!channel) throw new Error("no channel");
      await changeBalance(tx, channel, delta, event());
    });
  }

  test("gives up what was promised of it, and promises it again", async () => {
    const channel = await openChannel();
    await pay(channel, 100n);
    await pay(channel, 250n);
    await change(channel, -deposit);
    expect(await account(channel)).toEqual([0n, 0n]);
    await change(channel, deposit);
    expect(await account(channel)).toEqual([deposit, 250n]);
    await claim(channel, 250n, event());
    expect(await account(channel)).toEqual([deposit - 250n, 0n]);
  });

  test("promises the oldest again as far as what came back reaches", async () => {
    const channel = await openChannel();
    await pay(channel, 100n);
    await pay(channel, 250n);
    await change(channel, -deposit);
    await change(channel, 200n);
    expect(await account(channel)).toEqual([200n, 100n]);
  });

  test("does not stop what the chain claims meanwhile, and a claim that is taken back is promised anew", async () => {
    const channel = await openChannel();
    await pay(channel, 100n);
    await pay(channel, 250n);
    await change(channel, -deposit);
    await change(channel, 240n);
    const place = event();
    await claim(channel, 240n, place);
    expect(await account(channel)).toEqual([0n, 0n]);
    await begin((tx) => retractClaims(tx, epochId, place));
    expect(await account(channel)).toEqual([240n, 100n]);
    await change(channel, deposit);
    expect(await account(channel)).toEqual([deposit + 240n, 250n]);
  });

  test("lets its chain be written off while it is away", async () => {
    const channel = await openChannel();
    await pay(channel, 100n);
    await change(channel, -deposit);
    await begin((tx) => endEpoch(tx, epochId, now));
    expect(await account(channel)).toEqual([0n, 0n]);
  });
});
