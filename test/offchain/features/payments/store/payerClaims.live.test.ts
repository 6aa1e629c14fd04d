import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ChannelConfig } from "#offchain/features/payments/service.ts";
import { type ChannelRow, saveChannel } from "#offchain/features/payments/store/channels.ts";
import { duePayerClaims, savePayerClaim } from "#offchain/features/payments/store/payerClaims.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";

const zero = `0x${"00".repeat(20)}` as const;
const someone = (byte: string) => `0x${byte.repeat(20)}` as const;
const operator = { chainId: 31337, address: someone("0e") };
const pauseMs = (failures: number) => failures * 100;

let server: TestServer;
let database: TestDatabase;
let runId: bigint;
let count = 0;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  const [row] = await database.sql<{ id: bigint }[]>`
    INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
    VALUES (31337, ${Buffer.alloc(32)}, 0, 0, ${Buffer.alloc(32)}, 0) RETURNING id`;
  runId = row?.id ?? 0n;
});

beforeEach(async () => {
  await database.sql`TRUNCATE payer_claim, payment, batch, channel RESTART IDENTITY`;
});

afterAll(async () => {
  await database.close();
  await server.stop();
});

async function open(payerAuthorizer: `0x${string}` = zero): Promise<ChannelRow> {
  count += 1;
  const config: ChannelConfig = {
    payer: someone("aa"),
    payerAuthorizer,
    receiver: someone("bb"),
    receiverAuthorizer: operator.address,
    token: someone("cc"),
    withdrawDelay: 900,
    salt: `0x${String(count).padStart(64, "0")}`,
  };
  const channel = {
    runId,
    channelId: config.salt,
    config,
    unit: "USDC" as const,
    now: 0,
    isCleared: false,
  };
  return database.sql.begin((tx) => saveChannel(tx, channel)) as Promise<ChannelRow>;
}

async function batch(state: string): Promise<bigint> {
  const [row] = await database.sql<{ id: bigint }[]>`
    INSERT INTO batch (run_id, state, opened_at) VALUES (${runId}, ${state}, 0) RETURNING id`;
  return row?.id ?? 0n;
}

async function voucher(channel: ChannelRow, cumulative: number, batchId: bigint): Promise<void> {
  count += 1;
  await database.sql`
    INSERT INTO payment (channel, key, cumulative, amount, signature, batch_id, transfer_id, accepted_at)
    VALUES (${channel.id}, ${`k${count}`}, ${cumulative}, 1, ${bytesOf("0xabcdef")}, ${batchId}, 't', 0)`;
}

const due = (now: number, unminedMax = 32) =>
  duePayerClaims(database.sql, runId, unminedMax, (failures, triedAt) => now >= triedAt + pauseMs(failures));
const amounts = async (now = 0) =>
  (await due(now)).map(({ maxClaimableAmount, failures }) => [Number(maxClaimableAmount), failures]);

/** Hands what is due to the sender, as the job does; the transaction's id. */
async function claim(now: number): Promise<bigint> {
  const [first] = await due(now);
  if (!first) throw new Error("nothing is due");
  count += 1;
  return database.sql.begin(async (tx) => {
    const request = { key: `test ${count}`, to: someone("dd"), data: "0x", purpose: "test" } as const;
    const id = await enqueueTransaction(tx, operator, request, now);
    await savePayerClaim(tx, first, id, now);
    return id;
  }) as Promise<bigint>;
}

const become = (id: bigint, state: string, success: boolean | null) =>
  database.sql`UPDATE chain_transaction SET state = ${state}, success = ${success}, final = true WHERE id = ${id}`;

test("what is due is each such channel's newest voucher in a closed batch", async () => {
  const [own, keyed] = [await open(), await open(someone("ee"))];
  const [closed, still] = [await batch("closed"), await batch("open")];
  for (const cumulative of [10, 30, 20]) await voucher(own, cumulative, closed);
  await voucher(own, 40, still);
  await voucher(keyed, 10, closed);
  const [only, ...others] = await due(0);
  expect(others).toEqual([]);
  expect(only).toMatchObject({ channel: { id: own.id, config: own.config }, failures: 0 });
  expect([only?.maxClaimableAmount, Buffer.from(only?.signature ?? []).toString("hex")]).toEqual([
    30n,
    "abcdef",
  ]);
});

test("what is on its way counts, and those that their payer is leaving go first, then by value", async () => {
  const closed = await batch("closed");
  const channels = [await open(), await open(), await open(), await open()] as const;
  for (const [at, channel] of channels.entries()) await voucher(channel, 10 + at, closed);
  await database.sql`UPDATE channel SET withdrawable_at = 9 WHERE id = ${channels[1].id}`;
  await database.sql`UPDATE channel SET withdrawable_at = 8 WHERE id = ${channels[0].id}`;
  const ids = async (unminedMax: number) => (await due(0, unminedMax)).map(({ channel }) => channel.id);
  const [first, second, third, fourth] = channels.map(({ id }) => id);
  expect(await ids(32)).toEqual([first, second, fourth, third]);
  expect(await ids(2)).toEqual([first, second]);
  const onItsWay = await claim(0);
  expect(await ids(2)).toEqual([second]);
  expect(await ids(1)).toEqual([]);
  await become(onItsWay, "mined", true);
  await database.sql`UPDATE channel SET claimed = 10 WHERE id = ${first ?? 0n}`;
  expect(await ids(1)).toEqual([second]);
});

test("nothing is due while a claim is on its way, and the next once it is done", async () => {
  const [own, closed] = [await open(), await batch("closed")];
  await voucher(own, 10, closed);
  const id = await claim(0);
  await voucher(own, 20, closed);
  for (const state of ["prepared", "signed", "sent", "replaced"]) {
    await database.sql`UPDATE chain_transaction SET state = ${state} WHERE id = ${id}`;
    expect(await amounts(1e9)).toEqual([]);
  }
  await become(id, "mined", true);
  // Mined, and not indexed yet.
  expect(await amounts(1e9)).toEqual([]);
  await database.sql`UPDATE channel SET claimed = 10 WHERE id = ${own.id}`;
  expect(await amounts()).toEqual([[20, 0]]);
});

test.each([
  ["failed", null],
  ["mined", false],
] as const)(
  "a claim that is %s is due again after a pause that grows, with the newest voucher",
  async (state, success) => {
    const [own, closed] = [await open(), await batch("closed")];
    await voucher(own, 10, closed);
    await become(await claim(1_000), state, success);
    expect(await amounts(1_099)).toEqual([]);
    await voucher(own, 20, closed);
    expect(await amounts(1_100)).toEqual([[20, 1]]);
    await become(await claim(1_100), state, success);
    expect(await amounts(1_299)).toEqual([]);
    expect(await amounts(1_300)).toEqual([[20, 2]]);
    // Claimed after all, by whomever: the next one starts anew.
    await database.sql`UPDATE channel SET claimed = 20 WHERE id = ${own.id}`;
    await voucher(own, 30, closed);
    expect(await amounts(1_300)).toEqual([[30, 0]]);
  },
);

test("what was claimed elsewhere meanwhile is not claimed again", async () => {
  const [own, closed] = [await open(), await batch("closed")];
  await voucher(own, 10, closed);
  await database.sql`UPDATE channel SET claimed = 10 WHERE id = ${own.id}`;
  expect(await amounts()).toEqual([]);
});
