// Signed vouchers acknowledged durable per second, end to end over HTTP, beside the verification of their signatures
// alone.   npm run bench:intake [-- --json --channels 64 --vouchers 20000]
import { rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createPublicClient, createWalletClient, erc20Abi, http, keccak256, toHex } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { addresses } from "#addresses";
import { hardhat } from "#offchain/core/localChain.ts";
import { parseAmount } from "#offchain/core/unit.ts";
import { voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import { signDigest } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { createAgent } from "#offchain/sdk/agent.ts";
import { batchSettlementAddress } from "#offchain/sdk/paying/channel.ts";
import { openPaymentStream } from "#offchain/sdk/paymentStream.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { beginnings } from "../stack/progress.ts";
import { type Stack, startStack } from "../stack/stack.ts";
import { benchFolder } from "./folder.ts";
import type { VerifyJob } from "./verify.ts";

const help = `npm run bench:intake [-- options]

  --channels <n>   payment channels, each with a payer of its own (default 64)
  --vouchers <n>   vouchers in each run (default 20000)
  --batch <n>      vouchers in one request of the batch run (default 100)
  --streams <n>    connections of the stream run, which share the channels (default 4)
  --json           one JSON object as the last line`;

const values = readCommand(help, {
  channels: { type: "string", default: "64" },
  vouchers: { type: "string", default: "20000" },
  batch: { type: "string", default: "100" },
  streams: { type: "string", default: "4" },
  json: { type: "boolean", default: false },
});

const chainId = 31337;
const verifyMs = 3_000;
/** Vouchers before anything is measured, until the service's code is compiled. */
const warmUp = 20_000;
/** One payment: 0.000001 USDC. */
const step = 1n;
const connections = new Agent({ keepAlive: true });

interface Channel {
  channelId: `0x${string}`;
  privateKey: `0x${string}`;
  signed: bigint;
}

interface Body {
  key: string;
  channelId: `0x${string}`;
  network: string;
  maxClaimableAmount: string;
  signature: `0x${string}`;
}

await main();

async function main(): Promise<void> {
  const counts = {
    channels: Number(values.channels),
    vouchers: Number(values.vouchers),
    batch: Number(values.batch),
    streams: Number(values.streams),
  };
  const dataDir = await benchFolder("intake");
  const stack = await startStack({
    dataDir,
    isWebWanted: false,
    ports: { chain: 18_545, api: 14_020 },
    // Batches do not close while the intake is measured: settlement is the chain's time, not the intake's.
    env: { BURSAR_LOG_LEVEL: "warn", BURSAR_BATCH_SIZE: "1000000", BURSAR_BATCH_MIN_AMOUNT: "1000000" },
    progress: beginnings((what) => console.error(what)),
  });
  try {
    const report = await measure(stack, counts);
    console.table(report);
    if (values.json) console.log(JSON.stringify(report));
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measure(
  stack: Stack,
  counts: { channels: number; vouchers: number; batch: number; streams: number },
) {
  console.error(`opening ${counts.channels} channels`);
  const channels = await openChannels(stack, counts.channels);
  console.error("signing");
  const perChannel = Math.ceil(counts.vouchers / counts.channels);
  await submitSingle(stack.apiUrl, await sign(channels, 10));
  await submitBatches(stack.apiUrl, await sign(channels, Math.ceil(warmUp / counts.channels)), counts.batch);
  const inBatches = await sign(channels, perChannel);
  const sample = inBatches.flat().map(({ channelId, maxClaimableAmount, signature }) => ({
    channelId,
    maxClaimableAmount: BigInt(maxClaimableAmount),
    signature,
  }));
  console.error("verifying by viem and by libsecp256k1 alone");
  const viemVerifyPerSecond = await verifyRate("viem", sample.slice(0, 2_000));
  const nativeVerifyPerSecond = await verifyRate("native", sample.slice(0, 2_000));
  console.error("submitting in batches");
  const batched = await submitBatches(stack.apiUrl, inBatches, counts.batch);
  console.error("submitting over streams");
  const streamed = await submitStreams(stack.apiUrl, await sign(channels, perChannel), counts.streams);
  console.error("submitting one by one");
  const single = await submitSingle(stack.apiUrl, await sign(channels, Math.ceil(perChannel / 4)));
  console.error("submitting one by one at half of that rate");
  const half = await submitPaced(
    stack.apiUrl,
    await sign(channels, Math.ceil(perChannel / 8)),
    single.perSecond / 2,
  );
  await assertAccepted(stack.apiUrl, channels);
  const acceptedPerSecond = Math.round(Math.max(batched.perSecond, single.perSecond, streamed.perSecond));
  return {
    acceptedPerSecond,
    viemVerifyPerSecond: Math.round(viemVerifyPerSecond),
    nativeVerifyPerSecond: Math.round(nativeVerifyPerSecond),
    ratioToViem: round(acceptedPerSecond / viemVerifyPerSecond),
    shareOfNative: round(acceptedPerSecond / nativeVerifyPerSecond),
    p99HalfLoadMs: round(quantile(half, 0.99)),
    p50HalfLoadMs: round(quantile(half, 0.5)),
    singlePerSecond: Math.round(single.perSecond),
    batchPerSecond: Math.round(batched.perSecond),
    streamPerSecond: Math.round(streamed.perSecond),
    channels: counts.channels,
    cores: availableParallelism(),
  };
}

async function openChannels({ apiUrl, rpcUrl, dataDir }: Stack, count: number): Promise<Channel[]> {
  const contracts = addresses[chainId];
  const faucet = createWalletClient({
    account: mnemonicToAccount("test test test test test test test test test test test junk", {
      addressIndex: 9,
    }),
    chain: hardhat,
    transport: http(rpcUrl),
  });
  const reader = createPublicClient({ chain: hardhat, transport: http(rpcUrl) });
  const agentOf = (privateKey: `0x${string}`) =>
    createAgent({
      account: privateKeyToAccount(privateKey),
      url: apiUrl,
      chainId,
      usdc: contracts.TestUSDC,
      clearing: contracts.Clearing,
      treasury: contracts.Treasury,
      states: fileStates(join(dataDir, privateKey.slice(2, 12))),
    });
  const payee = agentOf(keccak256(toHex("payee")));
  await payee.register("Payee", "seller");
  const channels: Channel[] = [];
  for (let at = 0; at < count; at += 1) {
    const privateKey = keccak256(toHex(`payer ${at}`));
    const agent = agentOf(privateKey);
    const hash = await faucet.writeContract({
      address: contracts.TestUSDC,
      abi: erc20Abi,
      functionName: "transfer",
      args: [agent.address, 10_000_000n],
    });
    await reader.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    await agent.register(`Payer ${at}`, "buyer");
    const { channelId } = await agent.openChannel({ payee: payee.address, deposit: "10" });
    channels.push({ channelId, privateKey, signed: 0n });
  }
  return channels;
}

/** The next `count` vouchers of every channel, in order. */
async function sign(channels: Channel[], count: number): Promise<Body[][]> {
  const hasher = voucherHasher(chainId, batchSettlementAddress);
  return Promise.all(
    channels.map(async (channel) => {
      const bodies: Body[] = [];
      for (let at = 0; at < count; at += 1) {
        // Connections that the service closes meanwhile are seen to be closed.
        if (at % 100 === 0) await new Promise((done) => setImmediate(done));
        channel.signed += step;
        const digest = hasher.voucherDigest(channel.channelId, channel.signed);
        bodies.push({
          key: `bench-${channel.signed}`,
          channelId: channel.channelId,
          network: `eip155:${chainId}`,
          maxClaimableAmount: channel.signed.toString(),
          signature: await signDigest(`0x${Buffer.from(digest).toString("hex")}`, channel.privateKey),
        });
      }
      return bodies;
    }),
  );
}

/** Each channel sends its vouchers `size` at a time, one request after another; channels go side by side. */
async function submitBatches(url: string, channels: Body[][], size: number) {
  const requests = channels.map((bodies) =>
    Array.from({ length: Math.ceil(bodies.length / size) }, (_, at) =>
      Buffer.from(JSON.stringify({ payments: bodies.slice(at * size, (at + 1) * size) })),
    ),
  );
  return timed(channels.flat().length, async () => {
    await Promise.all(
      requests.map(async (bodies) => {
        for (const body of bodies) {
          await post(`${url}/api/v1/payments/batch`, body);
        }
      }),
    );
  });
}

/** Each connection carries the vouchers of its share of the channels, a window of them at once. */
async function submitStreams(url: string, channels: Body[][], count: number) {
  const shares = Array.from({ length: count }, (_, share) =>
    channels.filter((__, at) => at % count === share),
  );
  return timed(channels.flat().length, async () => {
    await Promise.all(
      shares.map(async (share) => {
        const stream = openPaymentStream({ url });
        const depth = Math.max(0, ...share.map((bodies) => bodies.length));
        const answers: Promise<unknown>[] = [];
        for (let at = 0; at < depth; at += 1)
          for (const body of share.flatMap((bodies) => bodies[at] ?? [])) {
            await stream.ready();
            answers.push(stream.pay(body));
          }
        await Promise.all(answers);
        await stream.close();
      }),
    );
  });
}

/** Each channel sends one voucher after another. */
async function submitSingle(url: string, channels: Body[][]) {
  const requests = channels.map((bodies) => bodies.map((body) => Buffer.from(JSON.stringify(body))));
  return timed(channels.flat().length, async () => {
    await Promise.all(
      requests.map(async (bodies) => {
        for (const body of bodies) await post(`${url}/api/v1/payments`, body);
      }),
    );
  });
}

/** Sends at a steady rate whatever the answers take; gives each request's time from when it was due, ms. */
async function submitPaced(url: string, channels: Body[][], perSecond: number): Promise<number[]> {
  const depth = Math.max(...channels.map((bodies) => bodies.length));
  const order = Array.from({ length: depth }, (_, at) =>
    channels.flatMap((bodies) => bodies[at] ?? []),
  ).flat();
  const startedAt = performance.now();
  const previous = new Map<string, Promise<unknown>>();
  const latencies: Promise<number>[] = [];
  for (const [at, body] of order.entries()) {
    const dueAt = startedAt + (at * 1_000) / perSecond;
    while (performance.now() < dueAt) await delay(1);
    const answered = (previous.get(body.channelId) ?? Promise.resolve())
      .then(() => post(`${url}/api/v1/payments`, Buffer.from(JSON.stringify(body))))
      .then(() => performance.now() - dueAt);
    previous.set(body.channelId, answered);
    latencies.push(answered);
  }
  return Promise.all(latencies);
}

/** Over connections that are kept. Answers arrive and are not read: the measured cores do this, too. */
function post(url: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        agent: connections,
        method: "POST",
        headers: { "content-type": "application/json", "content-length": body.length },
      },
      (response) => {
        response.resume();
        response.on("end", () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
        );
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** @throws Error unless the service has accepted every voucher that was sent, as a payment of its own */
async function assertAccepted(url: string, channels: readonly Channel[]): Promise<void> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counted = /^bursar_payments_accepted_total\{chain="\d+"\} (\d+)$/m.exec(metrics)?.[1];
  const sent = channels.reduce((sum, { signed }) => sum + signed, 0n);
  if (counted !== sent.toString()) throw new Error(`${counted} payments accepted, ${sent} sent`);
  for (const { channelId, signed } of channels) {
    const answer = await fetch(`${url}/api/v1/channels/${channelId}`);
    const { accepted } = (await answer.json()) as { accepted: { amount: string } };
    if (parseAmount(accepted.amount, "USDC") !== signed)
      throw new Error(`${channelId}: ${accepted.amount} USDC accepted, ${signed} base units sent`);
  }
}

async function timed(count: number, run: () => Promise<void>): Promise<{ perSecond: number }> {
  const startedAt = performance.now();
  await run();
  return { perSecond: (count * 1_000) / (performance.now() - startedAt) };
}

/** Over all cores at once. */
async function verifyRate(method: VerifyJob["method"], vouchers: VerifyJob["vouchers"]): Promise<number> {
  const workerData: VerifyJob = { method, durationMs: verifyMs, chainId, vouchers };
  const rates = await Promise.all(
    Array.from(
      { length: availableParallelism() },
      () =>
        new Promise<number>((resolve, reject) => {
          const worker = new Worker(new URL("./verify.ts", import.meta.url), { workerData });
          worker.once("message", resolve);
          worker.once("error", reject);
        }),
    ),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
