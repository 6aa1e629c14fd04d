import { createWalletClient, erc20Abi, http } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchSettlementAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import {
  account,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../../support/stack.ts";

let stack: TestStack;
let channel: PayingChannel;
const payer = account(4);
const payee = account(5);

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
  });
  await stack.agent(4).register("Payer", "buyer");
  await stack.agent(5).register("Payee", "seller");
  channel = await stack.agent(4).openChannel({ payee: payee.address, deposit: "5" });
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => testChain(stack);

const balance = () =>
  chain().readContract({
    address: contracts.TestUSDC,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [payee.address],
  });

const settled = async () => {
  const { batchId } = await stack.operator.batches.flush();
  return until(
    () => stack.client.batches.show({ batchId: batchId ?? "" }),
    ({ state }) => state === "settled",
  );
};

const books = () => stack.client.ledger.reconcile();

/** What the live stream tells of closing channels, gathered until it is cancelled. */
async function followClosing() {
  const { body } = await fetch(`${stack.apiUrl}/api/v1/stream`);
  if (!body) throw new Error("no stream");
  const told: { channelId: string; payee: string; unclaimed: { amount: string }; isClaiming: boolean }[] = [];
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const read = async (text = ""): Promise<void> => {
    const { value, done } = await reader.read();
    if (done) return;
    const messages = (text + value).split("\n\n");
    for (const message of messages.slice(0, -1))
      if (message.includes("event: channel.closing"))
        told.push(JSON.parse(message.slice(message.indexOf("data: ") + 6)));
    return read(messages.at(-1));
  };
  const reading = read();
  return { told, cancel: () => reader.cancel().then(() => reading) };
}

test("a reorg that drops a settlement takes its effects back, and it is settled again, once", async () => {
  await channel.pay({ key: "first", amount: "0.25" });
  const before = await balance();
  const snapshot = await chain().snapshot();
  const batch = await settled();
  expect(await balance()).toBe(before + 250_000n);

  await chain().revert({ id: snapshot });
  expect(await balance(), "the chain has forgotten it").toBe(before);
  await until(balance, (now) => now === before + 250_000n);
  const again = await until(
    () => stack.client.batches.show({ batchId: batch.batchId }),
    ({ state }) => state === "settled",
  );
  expect(again.payments).toBe(1);
  expect(await until(books, ({ chainMatchesLedger }) => chainMatchesLedger)).toMatchObject({
    ledgerBalanced: true,
    held: { chain: { amount: "4.75" }, ledger: { amount: "4.75" } },
  });
});

test("a withdrawal that the payee gives at once is over, and the channel takes payments again", async () => {
  const open = await stack.agent(4).openChannel({ payee: payee.address, deposit: "2", label: "again" });
  await open.pay({ key: "before", amount: "0.5" });
  const { config } = await stack.client.channels.show({ channelId: open.channelId });
  const call = (who: typeof payer, functionName: "initiateWithdraw" | "refund") =>
    createWalletClient({ account: who, chain: hardhat, transport: http(stack.rpcUrl) }).writeContract({
      address: contracts.BatchSettlement,
      abi: batchSettlementAbi,
      functionName,
      args: [config as never, 1_000_000n],
    });
  const shows = (wanted: string) =>
    until(
      () => stack.client.channels.show({ channelId: open.channelId }),
      ({ state }) => state === wanted,
    );
  await call(payer, "initiateWithdraw");
  await shows("closing");
  await call(payee, "refund");
  await shows("open");
  await open.pay({ key: "after", amount: "0.5" });
  await settled();
  expect(await until(books, ({ held }) => held.chain.amount === "4.75")).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
  });
});

test("a payer that starts to withdraw pays what it promised, at once, and can promise no more", async () => {
  const before = await balance();
  const { batchId } = await channel.pay({ key: "promised", amount: "1" });
  const { config } = await stack.client.channels.show({ channelId: channel.channelId });
  const wallet = createWalletClient({ account: payer, chain: hardhat, transport: http(stack.rpcUrl) });
  const { told, cancel } = await followClosing();
  // The claim follows within moments; here it waits for its block until the payee was told.
  await chain().setAutomine(false);
  await wallet.writeContract({
    address: contracts.BatchSettlement,
    abi: batchSettlementAbi,
    functionName: "initiateWithdraw",
    args: [config as never, 4_750_000n],
  });
  await chain().mine({ blocks: 1 });
  await until(
    () => stack.client.channels.show({ channelId: channel.channelId }),
    ({ state }) => state === "closing",
  );
  await expect(channel.pay({ key: "late", amount: "1" })).rejects.toMatchObject({ code: "CHANNEL_CLOSING" });

  const about = { channelId: channel.channelId, payee: payee.address };
  await until(
    async () => told,
    () => told.at(-1)?.isClaiming === true,
  );
  expect(told[0]).toMatchObject({ ...about, unclaimed: { amount: "1", unit: "USDC" } });
  expect((await stack.client.overview.show()).closing).toMatchObject([{ ...about, isClaiming: true }]);
  const metrics = async () => (await fetch(`${stack.apiUrl}/metrics`)).text();
  await until(metrics, (text) => /^bursar_channels_closing\{chain="31337"\} 1$/m.test(text));
  await chain().setAutomine(true);
  await chain().mine({ blocks: 1 });

  // No limit of the batch is anywhere near: the withdrawal alone has it settled.
  expect(
    await until(
      () => stack.client.batches.show({ batchId }),
      ({ state }) => state === "settled",
    ),
  ).toMatchObject({ closedBy: "withdrawal", decisions: [{ action: "settle", reason: "withdrawal" }] });
  expect(await balance()).toBe(before + 1_000_000n);
  await until(
    async () => told,
    () => told.at(-1)?.unclaimed.amount === "0",
  );
  await until(metrics, (text) => /^bursar_channels_closing\{chain="31337"\} 0$/m.test(text));
  await cancel();

  await chain().increaseTime({ seconds: 86_401 });
  await chain().mine({ blocks: 1 });
  await wallet.writeContract({
    address: contracts.BatchSettlement,
    abi: batchSettlementAbi,
    functionName: "finalizeWithdraw",
    args: [config as never],
  });
  expect(await until(books, ({ held }) => held.chain.amount === "0")).toMatchObject({
    ledgerBalanced: true,
    chainMatchesLedger: true,
    held: { ledger: { amount: "0" } },
  });
});
