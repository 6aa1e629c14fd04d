import { keccak256, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clearingAbi, testUsdcAbi } from "#contracts";
import { payeesAtOnce, rowsAtOnce } from "#offchain/features/clearing/rules.ts";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import {
  account,
  chainId,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";

const payer = account(4);
const windowSeconds = 86_400;
/** Base units: the least that an epoch credits. */
const cent = 10_000n;
/** What a transaction may take (EIP-7825). */
const gasMax = 2n ** 24n;
const payees = Array.from(
  { length: 3_000 },
  (_, at) => keccak256(toHex(`payee ${at}`)).slice(0, 42) as `0x${string}`,
);

let server: TestServer;
let database: TestDatabase;
let stack: TestStack;
let hub: PayingChannel;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  const { host, port, username, database: name } = database.connection;
  stack = await startTestStack({
    DATABASE_URL: `postgresql://${username}@localhost/${name}?host=${encodeURIComponent(String(host))}&port=${port}`,
    BURSAR_BATCH_SIZE: "10000",
    BURSAR_BATCH_MAX_DELAY_MS: "500",
    BURSAR_BATCH_MIN_AMOUNT: "1",
    BURSAR_CLEARING_EPOCH_EVERY_MS: "1000",
  });
  await stack.agent(4).register("Payer", "buyer");
  await database.sql`
    INSERT INTO agent (address, name, role, registered_at)
    SELECT decode(substr(payee, 3), 'hex'), payee, 'seller', 0 FROM unnest(${payees}::text[]) AS payee`;
  hub = await stack.agent(4).openChannel({ deposit: "100" });
});

afterAll(async () => {
  await stack?.stop();
  await database?.close();
  await server?.stop();
});

const epochIs = (number: number, state: string) =>
  until(
    async () => (await stack.client.clearing.show()).epochs.find((epoch) => epoch.number === number),
    (epoch) => epoch?.state === state,
    120_000,
  );
async function passWindow(): Promise<void> {
  const chain = testChain(stack);
  await chain.increaseTime({ seconds: windowSeconds });
  await chain.mine({ blocks: 1 });
}

/** A cent to each. */
async function payEach(to: readonly `0x${string}`[], name: string): Promise<void> {
  const { channelId } = hub;
  const { accepted } = await stack.client.channels.show({ channelId });
  const before = BigInt(Math.round(Number(accepted.amount) * 1e6));
  const payments = await Promise.all(
    to.map(async (payee, at) => {
      const maxClaimableAmount = before + BigInt(at + 1) * cent;
      return {
        key: `${name}-${payee}`,
        channelId,
        network: `eip155:${chainId}`,
        maxClaimableAmount: maxClaimableAmount.toString(),
        signature: await signVoucher(payer, chainId, { channelId, maxClaimableAmount }),
        payee,
      };
    }),
  );
  for (let from = 0; from < payments.length; from += 1_000) {
    const part = payments.slice(from, from + 1_000);
    const { items } = await stack.agent(4).client.payments.payBatch({ payments: part }, { isSigned: true });
    expect(items.filter((item) => "error" in item)).toEqual([]);
  }
}

/** The gas of each transaction of Clearing's that told this event. */
async function gasOf(eventName: "EpochFilled" | "PaidBatch", fromBlock: bigint): Promise<bigint[]> {
  const chain = testChain(stack);
  const logs = await chain.getContractEvents({
    address: contracts.Clearing,
    abi: clearingAbi,
    eventName,
    fromBlock,
  });
  const receipts = await Promise.all(
    logs.map(({ transactionHash: hash }) => chain.getTransactionReceipt({ hash })),
  );
  return receipts.map(({ gasUsed }) => gasUsed);
}

test("thousands of payees are credited and paid by calls that each fit into a transaction, and the next epoch costs what changed", async () => {
  await payEach(payees, "all");
  await until(
    async () => (await stack.client.clearing.show()).epochs,
    (epochs) => epochs.length > 0 && epochs.every(({ state }) => state !== "cut" && state !== "filling"),
    120_000,
  );
  // However the payments fell into epochs, each epoch waits for the window of the one before.
  const credited = async () =>
    (await stack.client.clearing.show()).epochs
      .filter(({ state }) => state === "paid")
      .reduce((sum, { payees: rows }) => sum + (rows ?? 0), 0);
  for (let number = 1; ; number += 1) {
    await epochIs(number, "pending");
    await passWindow();
    await epochIs(number, "paid");
    if ((await credited()) === payees.length) break;
  }
  const { epochs } = await stack.client.clearing.show();
  const calls = (atOnce: number) =>
    epochs.reduce((sum, { payees: rows }) => sum + Math.ceil((rows ?? 0) / atOnce), 0);
  const [fills, payouts] = [await gasOf("EpochFilled", 0n), await gasOf("PaidBatch", 0n)];
  expect([fills.length, payouts.length]).toEqual([calls(rowsAtOnce), calls(payeesAtOnce)]);
  for (const gas of [...fills, ...payouts]) expect(gas).toBeLessThan((gasMax * 3n) / 4n);
  const balances = await Promise.all(
    [0, 1_499, payees.length - 1].map((at) =>
      testChain(stack).readContract({
        address: contracts.TestUSDC,
        abi: testUsdcAbi,
        functionName: "balanceOf",
        args: [payees[at] as `0x${string}`],
      }),
    ),
  );
  expect(balances).toEqual([cent, cent, cent]);

  const from = await testChain(stack).getBlockNumber();
  const number = epochs.length + 1;
  await payEach(payees.slice(0, 3), "again");
  expect(await epochIs(number, "pending")).toMatchObject({ payees: 3, total: { amount: "0.03" } });
  await passWindow();
  await epochIs(number, "paid");
  const [again] = await gasOf("EpochFilled", from);
  expect(again).toBeLessThan(250_000n);
  expect(await stack.client.ledger.reconcile()).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
  });
}, 400_000);
