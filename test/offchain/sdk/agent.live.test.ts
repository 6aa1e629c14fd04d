import { join } from "node:path";
import { createWalletClient, http } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { batchSettlementAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { type Agent, createAgent } from "#offchain/sdk/agent.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { account, chainId, contracts, startTestStack, type TestStack, until } from "../support/stack.ts";

let stack: TestStack;
let payee: `0x${string}`;

beforeAll(async () => {
  stack = await startTestStack();
  payee = account(5).address;
  await Promise.all([stack.agent(4).register("Ada", "payer"), stack.agent(5).register("Bo", "payee")]);
});
afterAll(() => stack?.stop());

/** The same agent from another folder, or for another chain. */
const ada = (folder: string, chain: number = chainId): Agent =>
  createAgent({
    account: account(4),
    url: stack.apiUrl,
    chainId: chain,
    usdc: contracts.TestUSDC,
    treasury: contracts.Treasury,
    clearing: contracts.Clearing,
    states: fileStates(join(stack.dataDir, folder)),
  });

const depositOf = async (channelId: string) =>
  (await stack.client.channels.show({ channelId })).deposit.amount;

it("tops an open channel up to a larger deposit, once, and leaves it at a smaller one", async () => {
  const open = (deposit: string) => ada("one").openChannel({ payee, deposit, label: "deposits" });
  const { channelId } = await open("5");
  await open("8");
  expect(await depositOf(channelId)).toBe("8");
  await Promise.all([open("8"), open("2")]);
  expect(await depositOf(channelId)).toBe("8");
});

it("opens a channel again that was paid back in full, with the same deposit", async () => {
  const open = () => ada("one").openChannel({ payee, deposit: "5", label: "again" });
  const { channelId } = await open();
  const { config } = await stack.client.channels.show({ channelId });
  const payeeWallet = createWalletClient({
    account: account(5),
    chain: hardhat,
    transport: http(stack.rpcUrl),
  });
  await payeeWallet.writeContract({
    address: contracts.BatchSettlement,
    abi: batchSettlementAbi,
    functionName: "refund",
    args: [config, 5_000_000n],
  });
  await until(
    () => depositOf(channelId),
    (amount) => amount === "0",
  );
  expect((await open()).channelId).toBe(channelId);
  expect(await depositOf(channelId)).toBe("5");
});

it("goes on behind what another folder paid from the channel, by the payer's own voucher", async () => {
  const open = (folder: string) => ada(folder).openChannel({ payee, deposit: "5", label: "shared" });
  const first = await open("one");
  await first.pay({ key: "a", amount: "0.001" });
  const second = await open("two");
  await second.pay({ key: "b", amount: "0.0001" });
  await first.pay({ key: "c", amount: "0.001" });
  const { channelId } = first;
  const shown = await ada("one").client.channels.show({ channelId }, { isSigned: true });
  expect(shown).toMatchObject({
    accepted: { amount: "0.0021" },
    voucherSignature: expect.stringMatching(/^0x/),
  });

  // Both sign the same sum for payments of their own: nobody can tell whose it is.
  await second.pay({ key: "d", amount: "0.002" });
  await expect(first.pay({ key: "e", amount: "0.002" })).rejects.toMatchObject({
    code: "VOUCHER_STALE",
    remedy: "fix",
  });
  expect((await stack.client.channels.show({ channelId })).accepted.amount).toBe("0.0041");
});

it("shows a channel's newest voucher to its payer alone", async () => {
  const channel = await ada("one").openChannel({ payee, deposit: "1", label: "private" });
  await channel.pay({ key: "a", amount: "0.001" });
  const { channelId } = channel;
  for (const client of [createClient({ url: stack.apiUrl }), stack.agent(5).client, stack.operator])
    expect((await client.channels.show({ channelId }, { isSigned: true })).voucherSignature).toBeNull();
});

it("says which chains are served to an agent of another", async () => {
  await expect(ada("elsewhere", 1).register("Ada", "payer")).rejects.toMatchObject({
    code: "NETWORK_MISMATCH",
    message: `the request is signed for chain 1; the service follows ${chainId}`,
  });
});
