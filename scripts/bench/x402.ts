// How long a paid request takes, end to end: 402, signature, action, settlement, answer, by transactions and by channels;
// and what the facilitator alone takes.   npm run bench:x402 [-- --json --requests 100]
import { HTTPFacilitatorClient } from "@x402/core/server";
import type { PaymentRequirements } from "@x402/core/types";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { createPublicClient, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { addresses } from "#addresses";
import { hardhat } from "#offchain/core/localChain.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { payingFetch, paymentReceipt } from "#offchain/sdk/payingFetch.ts";
import { onStack } from "./parts/stack.ts";

const help = "npm run bench:x402 [-- --requests <n> --json]";
const values = readCommand(help, {
  requests: { type: "string", default: "100" },
  json: { type: "boolean", default: false },
});

const chainId = 31337;
const parallel = 20;
const account = (index: number) =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: index });

await main(Number(values.requests));

async function main(requests: number): Promise<void> {
  const env = { BURSAR_PRICES: '{"carbon.estimate":"0.001"}' };
  const figures = await onStack("x402", { env }, async (stack) => ({
    requests,
    exact: await paid(stack, requests, 4, false),
    channel: await paid(stack, requests, 5, true),
    facilitator: await facilitator(stack.apiUrl, Math.min(requests, 50)),
  }));
  if (values.json) console.log(JSON.stringify(figures));
  else console.dir(figures, { depth: 4 });
}

/** One request after the other, then many at once. Times in ms. */
async function paid(
  { apiUrl, rpcUrl }: { apiUrl: string; rpcUrl: string },
  requests: number,
  index: number,
  isChannel: boolean,
) {
  const chain = createPublicClient({ chain: hardhat, transport: http(rpcUrl) });
  const reader = {
    readContract: (call: object) => chain.readContract(call as Parameters<typeof chain.readContract>[0]),
  };
  const pay = payingFetch(fetch, {
    account: account(index),
    chainId,
    usdc: addresses[chainId].TestUSDC,
    maxPrice: "0.001",
    ...(isChannel && { channels: { reader, stripes: parallel, maxDeposit: 1_000_000n } }),
  });
  const body = JSON.stringify({ work: { kind: "compute", computeType: "GPU", durationMs: 1000 } });
  const init = { method: "POST", headers: { "content-type": "application/json" }, body };
  const buy = async () => {
    const startedAt = performance.now();
    const response = await pay(`${apiUrl}/api/v1/carbon/estimates`, init);
    if (!paymentReceipt(response)?.success) throw new Error(`${response.status} ${await response.text()}`);
    await response.arrayBuffer();
    return performance.now() - startedAt;
  };
  // A channel's first payment is its deposit: every stripe has had it before the clock runs.
  for (let count = 0; count < (isChannel ? parallel : 1); count += 1) await buy();
  const times = [];
  for (let count = 0; count < requests; count += 1) times.push(await buy());
  const startedAt = performance.now();
  const rounds = Math.ceil(requests / parallel);
  for (let round = 0; round < rounds; round += 1) await Promise.all(Array.from({ length: parallel }, buy));
  const seconds = (performance.now() - startedAt) / 1000;
  return { ...quantiles(times), parallel, perSecond: Math.round((rounds * parallel) / seconds) };
}

/** The official client against the facilitator alone. */
async function facilitator(apiUrl: string, requests: number) {
  const client = new HTTPFacilitatorClient({ url: `${apiUrl}/x402` });
  const requirements: PaymentRequirements = {
    scheme: "exact",
    network: `eip155:${chainId}`,
    asset: addresses[chainId].TestUSDC,
    amount: "1000",
    payTo: account(9).address,
    maxTimeoutSeconds: 300,
    extra: { name: "USD Coin", version: "2" },
  };
  const scheme = new ExactEvmScheme(account(6));
  const [verify, settle]: [number[], number[]] = [[], []];
  for (let count = 0; count < requests; count += 1) {
    const made = await scheme.createPaymentPayload(2, requirements);
    const payment = { ...made, x402Version: 2, accepted: requirements };
    const startedAt = performance.now();
    if (!(await client.verify(payment, requirements)).isValid) throw new Error("not valid");
    const verifiedAt = performance.now();
    if (!(await client.settle(payment, requirements)).success) throw new Error("not settled");
    verify.push(verifiedAt - startedAt);
    settle.push(performance.now() - verifiedAt);
  }
  return { verify: quantiles(verify), settle: quantiles(settle) };
}

function quantiles(times: readonly number[]) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10;
  return { p50Ms: at(0.5), p95Ms: at(0.95) };
}
