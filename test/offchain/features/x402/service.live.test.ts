import { join } from "node:path";
import { createPublicClient, http } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { payingFetch, paymentReceipt } from "#offchain/sdk/payingFetch.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { account, chainId, contracts, startTestStack, type TestStack, until } from "../../support/stack.ts";

const seller = account(9).address;
const requestsEach = 30;
const kills = 3;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_PRICES: '{"wallets.list":"0.001","agents.list":{"amount":"0.001","perItem":"0.001"}}',
    BURSAR_X402_PAY_TO: seller,
    BURSAR_X402_CLAIM_EVERY_MS: "500",
    BURSAR_X402_SETTLE_TIMEOUT_MS: "2000",
  });
}, 240_000);
afterAll(() => stack?.stop());

test("a service that is killed while agents buy from it is paid for every answer, once", {
  timeout: 300_000,
}, async () => {
  const chain = createPublicClient({ chain: hardhat, transport: http(stack.rpcUrl) });
  const balance = () =>
    chain.readContract({
      address: contracts.TestUSDC,
      abi: testUsdcAbi,
      functionName: "balanceOf",
      args: [seller],
    });
  // What the metered list is of.
  await stack.agent(4).register("Buyer", "buyer");
  const before = await balance();
  let answers = 0;
  /** What the channel had been charged after each of its answers. */
  const charges: string[] = [];
  const buyer = async (index: number, path: string) => {
    const paying = payingFetch(fetch, {
      account: account(index),
      chainId,
      usdc: contracts.TestUSDC,
      maxPrice: "0.001",
      states: fileStates(join(stack.dataDir, `buyer-${index}`)),
      ...(path.endsWith("agents") && { channels: { reader: chain as never, maxDeposit: 1_000_000n } }),
      retry: { deadlineMs: 120_000 },
    });
    for (let count = 0; count < requestsEach; ) {
      // The first question of a purchase carries no payment, so a lost one is simply asked again.
      const response = await paying(`${stack.apiUrl}${path}`).catch((error: unknown) => {
        if (error instanceof TypeError) return null;
        throw error;
      });
      if (!response) await new Promise((done) => setTimeout(done, 50));
      else {
        expect(response.status, await response.clone().text()).toBe(200);
        const receipt = paymentReceipt(response);
        expect(receipt?.success).toBe(true);
        const { channelState } = (receipt?.extra ?? {}) as {
          channelState?: { chargedCumulativeAmount: string };
        };
        if (channelState) charges.push(channelState.chargedCumulativeAmount);
        count += 1;
        answers += 1;
      }
    }
  };
  const buyers = Promise.all([
    ...[4, 5, 6].map((index) => buyer(index, "/api/v1/wallets")),
    buyer(7, "/api/v1/agents"),
  ]);
  for (let kill = 1; kill <= kills; kill += 1) {
    await until(
      async () => answers,
      (count) => count >= (kill * 4 * requestsEach) / (kills + 1),
      90_000,
    );
    await stack.killService();
    await stack.startService();
  }
  await buyers;
  // The channel's part comes with the next claim.
  await until(
    async () => (await balance()) - before,
    (earned) => earned >= BigInt(answers) * 1_000n,
    30_000,
  ).catch(() => {});
  expect(charges).toEqual(Array.from({ length: requestsEach }, (_, at) => `${(at + 1) * 1_000}`));
  expect([answers, (await balance()) - before]).toEqual([
    4 * requestsEach,
    BigInt(4 * requestsEach) * 1_000n,
  ]);
  const report = await stack.operator.ledger.reconcile();
  expect(report).toMatchObject({ ledgerBalanced: true, chainMatchesLedger: true });
});

test("an agent of the SDK pays for what it asks", async () => {
  const response = await stack.agent(8).paying({ maxPrice: "0.001" })(`${stack.apiUrl}/api/v1/wallets`);
  expect(response.status).toBe(200);
  expect(paymentReceipt(response)).toMatchObject({ success: true, payer: account(8).address });
});

test("the prices are told to whoever asks", async () => {
  const { items } = await stack.client.x402.prices();
  expect(items).toEqual([
    { action: "wallets.list", price: { amount: "0.001", unit: "USDC" }, perItem: null },
    {
      action: "agents.list",
      price: { amount: "0.001", unit: "USDC" },
      perItem: { amount: "0.001", unit: "USDC" },
    },
  ]);
});
