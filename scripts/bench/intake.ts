// Signed vouchers acknowledged durable per second, end to end over HTTP, beside the verification of their signatures
// alone.   npm run bench:intake [-- --json --channels 64 --vouchers 20000]
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openPaymentStream } from "#offchain/sdk/paymentStream.ts";
import { chainId } from "../soak/wallets.ts";
import type { Stack } from "../stack/stack.ts";
import { quantile, round } from "./parts/figures.ts";
import { sendWell } from "./parts/load.ts";
import { onStack } from "./parts/stack.ts";
import type { VerifyJob } from "./parts/verify.ts";
import { assertAccepted, type Body, openChannels, sign, submitBatches, timed } from "./parts/vouchers.ts";

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

const verifyMs = 3_000;
/** Vouchers before anything is measured, until the service's code is compiled. */
const warmUp = 20_000;

await main();

async function main(): Promise<void> {
  const counts = {
    channels: Number(values.channels),
    vouchers: Number(values.vouchers),
    batch: Number(values.batch),
    streams: Number(values.streams),
  };
  // Batches do not close while the intake is measured: settlement is the chain's time, not the intake's.
  const env = { BURSAR_LOG_LEVEL: "warn", BURSAR_BATCH_SIZE: "1000000", BURSAR_BATCH_MIN_AMOUNT: "1000000" };
  const report = await onStack("intake", { env }, (stack) => measure(stack, counts));
  console.table(report);
  if (values.json) console.log(JSON.stringify(report));
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
        for (const body of bodies) await sendWell({ url: `${url}/api/v1/payments`, method: "POST", body });
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
      .then(() =>
        sendWell({ url: `${url}/api/v1/payments`, method: "POST", body: Buffer.from(JSON.stringify(body)) }),
      )
      .then(() => performance.now() - dueAt);
    previous.set(body.channelId, answered);
    latencies.push(answered);
  }
  return Promise.all(latencies);
}

/** Over all cores at once. */
async function verifyRate(method: VerifyJob["method"], vouchers: VerifyJob["vouchers"]): Promise<number> {
  const workerData: VerifyJob = { method, durationMs: verifyMs, chainId, vouchers };
  const rates = await Promise.all(
    Array.from(
      { length: availableParallelism() },
      () =>
        new Promise<number>((resolve, reject) => {
          const worker = new Worker(new URL("./parts/verify.ts", import.meta.url), { workerData });
          worker.once("message", resolve);
          worker.once("error", reject);
        }),
    ),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}
