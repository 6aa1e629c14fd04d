// How long an agent's signed spend takes until it is mined and indexed, beside a bare transfer on the same chain.
//   npm run bench:chain [-- --json --spends 50]
import { setTimeout as delay } from "node:timers/promises";
import { createWalletClient, http, parseEther, publicActions } from "viem";
import { hardhat } from "#offchain/core/localChain.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import type { Agent } from "#offchain/sdk/agent.ts";
import { giveAgent } from "../fund.ts";
import { bentChain } from "../soak/faults.ts";
import type { Stack } from "../stack/stack.ts";
import { accountOf, benchAgent } from "./parts/agents.ts";
import { count, median, quantile, round } from "./parts/figures.ts";
import { onStack, unlimited } from "./parts/stack.ts";

const help = `npm run bench:chain [-- options]

An agent signs a spend inside its budget by the SDK, the service sends it, and is asked until it has indexed the block;
before each, a bare transfer of the chain's coin is signed, sent to the chain's node and confirmed.

  --spends <n>   spends, one after another, and as many bare transfers (default 50)
  --poll <ms>    how often the service looks at the chain's head (BURSAR_POLL_INTERVAL_MS; its default is 1000)
  --json         one JSON object as the last line: signatureToIndexedMs and confirmationMs are medians`;

const values = readCommand(help, {
  spends: { type: "string", default: "50" },
  poll: { type: "string" },
  json: { type: "boolean", default: false },
});

const receiptPollMs = 10;
const lookEveryMs = 10;
const payee = accountOf("spends' payee").address;

await main(count("spends", values.spends));

async function main(spends: number): Promise<void> {
  const env = { ...unlimited, ...(values.poll && { BURSAR_POLL_INTERVAL_MS: values.poll }) };
  const figures = await onStack("chain", { env }, (stack) => measure(stack, spends));
  console.table(figures);
  if (values.json) console.log(JSON.stringify(figures));
}

async function measure(stack: Stack, spends: number) {
  const agent = benchAgent(stack, "spender");
  await giveAgent({ rpcUrl: stack.rpcUrl, agent: agent.address, usdc: "1", budget: "1000000/day" });
  const transfer = await bareTransfers(stack);
  console.error(`${spends} spends and as many bare transfers`);
  const [bare, answered, indexed]: [number[], number[], number[]] = [[], [], []];
  // The first of each opens connections and storage slots, and is not counted.
  for (let at = 0; at <= spends; at += 1) {
    const bareMs = await transfer();
    const { answeredMs, indexedMs } = await spendOnce(stack, agent, at);
    if (at === 0) continue;
    bare.push(bareMs);
    answered.push(answeredMs);
    indexed.push(indexedMs);
  }
  return {
    signatureToIndexedMs: round(median(indexed)),
    signatureToIndexedP99Ms: round(quantile(indexed, 0.99)),
    signatureToAnswerMs: round(median(answered)),
    signatureToAnswerP99Ms: round(quantile(answered, 0.99)),
    confirmationMs: round(median(bare)),
    confirmationP99Ms: round(quantile(bare, 0.99)),
    spends,
  };
}

/** From before the signature until the service's answer, which has the mined transaction, and until its block is indexed. */
async function spendOnce(stack: Stack, agent: Agent, at: number) {
  const startedAt = performance.now();
  const { transactionHash, outcome } = await agent.spend({
    key: `bench ${at}`,
    to: payee,
    amount: "0.000001",
  });
  const answeredMs = performance.now() - startedAt;
  if (outcome !== "paid") throw new Error(`the spend was ${outcome}`);
  const { blockNumber } = await bentChain(stack.rpcUrl).getTransactionReceipt({
    hash: transactionHash as `0x${string}`,
  });
  for (;;) {
    const { chain } = await agent.client.overview.show();
    if (BigInt(chain.indexedTo) >= blockNumber)
      return { answeredMs, indexedMs: performance.now() - startedAt };
    await delay(lookEveryMs);
  }
}

/** Signs, sends and waits for one transfer of the chain's coin at a time; gives how long that took, ms. */
async function bareTransfers({ rpcUrl }: Stack): Promise<() => Promise<number>> {
  const account = accountOf("bare sender");
  const wallet = createWalletClient({ account, chain: hardhat, transport: http(rpcUrl) }).extend(
    publicActions,
  );
  await bentChain(rpcUrl).setBalance({ address: account.address, value: parseEther("1") });
  return async () => {
    const { gas, maxFeePerGas, maxPriorityFeePerGas, nonce } = await wallet.prepareTransactionRequest({
      to: payee,
      value: 1n,
    });
    const startedAt = performance.now();
    const signed = await wallet.signTransaction({
      to: payee,
      value: 1n,
      type: "eip1559",
      gas,
      maxFeePerGas,
      maxPriorityFeePerGas,
      nonce,
    });
    const hash = await wallet.sendRawTransaction({ serializedTransaction: signed });
    await wallet.waitForTransactionReceipt({ hash, pollingInterval: receiptPollMs });
    return performance.now() - startedAt;
  };
}
