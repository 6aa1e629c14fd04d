import { decodeFunctionData, type Hex, zeroAddress } from "viem";
import { beforeEach, describe, expect, test } from "vitest";
import { batchSettlementAbi } from "#contracts";
import { claimPayers } from "#offchain/features/payments/jobs/claimPayers.ts";
import { addWithdrawal } from "#offchain/features/payments/store/withdrawals.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { type Books, eachWithBooks, hex } from "../../../support/books.ts";
import { senderOf } from "./settling.ts";

const settlement = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

let warnings: { channelId: string; failures: number }[];
beforeEach(() => {
  warnings = [];
});

function claim(runId: bigint | null = books.runId): Promise<number> {
  const clock = { now: () => books.now };
  const destination = { write: (line: string) => void warnings.push(JSON.parse(line)) };
  return claimPayers({
    sql: books.sql,
    clock,
    log: createLog({ level: "warn", clock, destination }),
    runId: () => runId,
    contracts: { settlement, clearing: hex(20) },
    sender: senderOf(books),
  });
}

/** A voucher of a payer without a key of its own, in a batch that takes no more. */
async function promise(channelId: Hex, cumulative: bigint): Promise<void> {
  const { batchId } = await books.pay(channelId, cumulative);
  await books.sql`UPDATE batch SET state = 'closed' WHERE id = ${batchId}`;
}

interface Sent {
  id: bigint;
  key: string;
  purpose: string;
  state: string;
  gas_max: bigint | null;
  target: Hex;
  data: Hex;
}

const sent = () => books.sql<Sent[]>`
  SELECT id, key, purpose, state, gas_max, '0x' || encode(target, 'hex') AS target, '0x' || encode(data, 'hex') AS data
  FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY id`;

async function fail(): Promise<void> {
  await books.sql`
    UPDATE chain_transaction SET state = 'failed', final = true WHERE run_id = ${books.runId} AND state = 'prepared'`;
}

/** The calls of a transaction, by name and arguments. */
function callsOf({ data }: Sent) {
  const decoded = decodeFunctionData({ abi: batchSettlementAbi, data });
  if (decoded.functionName !== "multicall") return [decoded];
  return decoded.args[0].map((call) => decodeFunctionData({ abi: batchSettlementAbi, data: call }));
}

test("nothing is claimed before the chain is met, nor when nothing was promised", async () => {
  const own = await books.openChannel(zeroAddress);
  expect(await claim()).toBe(0);
  await promise(own, 100n);
  expect(await claim(null)).toBe(0);
  expect(await sent()).toEqual([]);
});

test("a payer's newest voucher is claimed and paid out in a transaction of its own", async () => {
  const [own, other, keyed] = [
    await books.openChannel(zeroAddress),
    await books.openChannel(zeroAddress),
    await books.openChannel(),
  ];
  for (const [id, cumulative] of [
    [own, 100n],
    [own, 250n],
    [other, 70n],
    [keyed, 900n],
  ] as const)
    await promise(id, cumulative);
  expect(await claim()).toBe(2);
  const transactions = await sent();
  expect(transactions).toMatchObject([
    { purpose: "channel.claim", state: "prepared", target: settlement.toLowerCase() },
    { purpose: "channel.claim", state: "prepared", target: settlement.toLowerCase() },
  ]);
  const claimed = transactions.map((one) => {
    const [claimCall, payOut, ...more] = callsOf(one);
    expect([payOut?.functionName, more]).toEqual(["settle", []]);
    if (claimCall?.functionName !== "claim") throw new Error("nothing is claimed");
    return claimCall.args[0].map(({ voucher, totalClaimed }) => [voucher.maxClaimableAmount, totalClaimed]);
  });
  expect(claimed).toEqual([[[250n, 250n]], [[70n, 70n]]]);
});

test("what is on its way is not claimed again, though another voucher comes", async () => {
  const own = await books.openChannel(zeroAddress);
  await promise(own, 100n);
  expect(await claim()).toBe(1);
  await promise(own, 200n);
  books.now += 86_400_000;
  expect(await claim()).toBe(0);
  expect(await sent()).toHaveLength(1);
});

test("two instances that look at once claim once: the key is the voucher's and the try's", async () => {
  const own = await books.openChannel(zeroAddress);
  await promise(own, 100n);
  await Promise.all([claim(), claim(), claim()]);
  const [only, ...others] = await sent();
  expect(others).toEqual([]);
  expect(only?.key).toMatch(/^claim:\d+:100:0$/);
});

test("a claim that the payer's code refused is told, and tried again after 30 s, 60 s, … at most 10 minutes: within the shortest withdrawal of 15", async () => {
  const own = await books.openChannel(zeroAddress);
  await promise(own, 100n);
  await claim();
  const pauses = [30, 60, 120, 240, 480, 600, 600].map((seconds) => seconds * 1_000);
  for (const pause of pauses) {
    await fail();
    books.now += pause - 1;
    expect([pause, await claim()]).toEqual([pause, 0]);
    books.now += 1;
    expect([pause, await claim()]).toEqual([pause, 1]);
  }
  expect(warnings.map(({ channelId, failures }) => [channelId, failures])).toEqual(
    pauses.map((_, at) => [own, at + 1]),
  );
  expect(new Set((await sent()).map(({ key }) => key)).size).toBe(pauses.length + 1);
});

test("a claim that was tried by a clock that was far ahead is tried again all the same", async () => {
  await promise(await books.openChannel(zeroAddress), 100n);
  books.now += 86_400_000;
  await claim();
  await fail();
  books.now -= 86_400_000;
  expect(await claim()).toBe(1);
});

test("a payer that refuses costs its own claim and nobody else's", async () => {
  const [bad, good] = [await books.openChannel(zeroAddress), await books.openChannel(zeroAddress)];
  await promise(bad, 100n);
  await claim();
  await fail();
  await promise(good, 50n);
  expect(await claim()).toBe(1);
  expect(await sent()).toMatchObject([{ state: "failed" }, { state: "prepared" }]);
  expect(warnings).toEqual([]);
});

test("is tried again without the payout, since the payee may be what fails", async () => {
  await promise(await books.openChannel(zeroAddress), 100n);
  await claim();
  await fail();
  books.now += 30_000;
  await claim();
  const transactions = await sent();
  const names = transactions.map((one) => callsOf(one).map(({ functionName }) => functionName));
  expect(names).toEqual([["claim", "settle"], ["claim"]]);
  // A payer's code that was cheap when it was asked may burn whatever it is given.
  expect(transactions.map(({ gas_max }) => gas_max)).toEqual([1_200_000n, 1_000_000n]);
});

describe("a channel with a key that its payer is leaving", () => {
  async function leaving(attempts: number): Promise<{ channelId: Hex; batchId: bigint }> {
    const channelId = await books.openChannel();
    const { batchId } = await books.pay(channelId, 100n);
    await books.sql`UPDATE batch SET state = 'submitted', attempts = ${attempts}, failures = ${attempts - 1} WHERE id = ${batchId}`;
    await books.begin((tx) => addWithdrawal(tx, books.runId, channelId, { at: books.now, left: 1n }));
    return { channelId, batchId };
  }

  test("is claimed by itself once its batch has failed: another channel may have made it fail", async () => {
    await leaving(1);
    expect(await claim(), "its batch's first try is on its way").toBe(0);
    await books.sql`UPDATE batch SET state = 'closed', failures = failures + 1`;
    expect(await claim()).toBe(1);
    const [only] = await sent();
    const [call] = only ? callsOf(only) : [];
    if (call?.functionName !== "claim") throw new Error("nothing is claimed");
    const [claimed] = call.args[0];
    expect(claimed).toMatchObject({ totalClaimed: 100n });
    // The contract's `claim` takes r, s, v.
    expect(claimed?.signature).toHaveLength(2 + 2 * 65);
    expect(["1b", "1c"]).toContain(claimed?.signature.slice(-2));
    expect(await claim(), "once").toBe(0);
  });

  test("stays with its batch when the contract does not take its voucher, and when nobody leaves", async () => {
    const { channelId, batchId } = await leaving(2);
    await books.sql`
      INSERT INTO batch_refusal (batch_id, channel, reason, refused_at, next_try_at)
      SELECT ${batchId}, id, 'no', 0, 0 FROM channel WHERE run_id = ${books.runId}`;
    expect(await claim()).toBe(0);
    await books.sql`DELETE FROM batch_refusal`;
    await books.begin((tx) => addWithdrawal(tx, books.runId, channelId, null));
    expect(await claim()).toBe(0);
  });
});
