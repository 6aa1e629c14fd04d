import { decodeFunctionData, type Hex, zeroAddress } from "viem";
import { beforeEach, expect, test } from "vitest";
import { batchSettlementAbi } from "#contracts";
import { claimPayers } from "#offchain/features/payments/jobs/claimPayers.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { type Books, eachWithBooks } from "../../../support/books.ts";
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
    settlement,
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
  target: Hex;
  data: Hex;
}

const sent = () => books.sql<Sent[]>`
  SELECT id, key, purpose, state, '0x' || encode(target, 'hex') AS target, '0x' || encode(data, 'hex') AS data
  FROM chain_transaction WHERE run_id = ${books.runId} ORDER BY id`;

async function fail(): Promise<void> {
  await books.sql`
    UPDATE chain_transaction SET state = 'failed', final = true WHERE run_id = ${books.runId} AND state = 'prepared'`;
}

/** The calls of a transaction's multicall, by name and arguments. */
function callsOf({ data }: Sent) {
  const { args } = decodeFunctionData({ abi: batchSettlementAbi, data });
  return ((args?.[0] ?? []) as readonly Hex[]).map((call) =>
    decodeFunctionData({ abi: batchSettlementAbi, data: call }),
  );
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
