// How long a small batch takes from its acceptance until it is settled: alone, and beside a flood of spends, of forged
// vouchers, of slow readers.   npm run bench:flood [-- --json --rounds 10]
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { faucetOn, setBudgets } from "#offchain/demo/setup.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { budgetTerms, giveAgent } from "../fund.ts";
import { chainId, contracts } from "../soak/wallets.ts";
import type { Stack } from "../stack/stack.ts";
import { accountOf } from "./parts/agents.ts";
import { count, median, quantile, round } from "./parts/figures.ts";
import type { FloodJob, FloodKind, FloodTally } from "./parts/floodRun.ts";
import { onStack, unlimited } from "./parts/stack.ts";
import { type Channel, openChannels, sign } from "./parts/vouchers.ts";

const help = `npm run bench:flood [-- options]

A batch of a few vouchers is accepted, closes by its size, and is asked for until it is settled on the chain and indexed:
alone, then beside each flood. Spends: callers who send valid and wrongly signed spends of the Treasury by turns. Forged:
callers who send vouchers that their channel's payer has not signed. Readers: clients who keep event streams open and take
64 bytes of them in half a second. The limits of rates and of streams from one address are off: a flood has many addresses.

  --rounds <n>    batches of each kind (default 10)
  --batch <n>     vouchers in each (default 10)
  --callers <n>   at once in a flood of spends or forged vouchers (default 16)
  --readers <n>   slow readers (default 200)
  --events <n>    events before they begin, for them to read (default 1000)
  --json          one JSON object as the last line: settleMs are medians`;

const values = readCommand(help, {
  rounds: { type: "string", default: "10" },
  batch: { type: "string", default: "10" },
  callers: { type: "string", default: "16" },
  readers: { type: "string", default: "200" },
  events: { type: "string", default: "1000" },
  json: { type: "boolean", default: false },
});

const kinds: readonly FloodKind[] = ["spends", "forged", "readers"];
const spender = "flooding spender";
/** Until a flood has its connections. */
const floodMs = 2_000;
const lookEveryMs = 20;
const patienceMs = 120_000;
/** As one transaction may use. */
const budgetsAtOnce = 80;

interface Wanted {
  readonly rounds: number;
  readonly batch: number;
  readonly callers: number;
  readonly readers: number;
  readonly events: number;
}

async function main(wanted: Wanted): Promise<void> {
  const env = {
    ...unlimited,
    BURSAR_BATCH_SIZE: String(wanted.batch),
    BURSAR_BATCH_MIN_AMOUNT: "1000000",
    BURSAR_STREAM_CLIENTS_MAX: "100000",
    BURSAR_STREAM_CLIENTS_PER_IP_MAX: "100000",
  };
  const figures = await onStack("flood", { env }, (stack) => measure(stack, wanted));
  const { settleMs, settleP99Ms, flood } = figures;
  console.table({ settleMs, settleP99Ms });
  console.table(flood);
  if (values.json) console.log(JSON.stringify(figures));
}

async function measure(stack: Stack, wanted: Wanted) {
  const channels = await openChannels(stack, 1);
  const [channel] = channels;
  if (!channel) throw new Error("no channel was opened");
  await giveAgent({
    rpcUrl: stack.rpcUrl,
    agent: accountOf(spender).address,
    usdc: "1",
    budget: "1000000/day",
  });
  console.error(`making ${wanted.events} events`);
  await makeEvents(stack, wanted.events);
  const settle = settler(stack, channels, wanted);
  await settle(1);
  console.error("quiet");
  const times: Record<string, number[]> = { quiet: await settle(wanted.rounds) };
  const flood: Record<string, FloodTally> = {};
  for (const kind of kinds) {
    console.error(kind);
    const callers = kind === "readers" ? wanted.readers : wanted.callers;
    const { channelId } = channel;
    const stop = await startFlood({ kind, apiUrl: stack.apiUrl, callers, channelId, spender });
    times[kind] = await settle(wanted.rounds);
    flood[kind] = await stop();
  }
  const each = (figure: (of: readonly number[]) => number) =>
    Object.fromEntries(Object.entries(times).map(([kind, of]) => [kind, round(figure(of))]));
  return { settleMs: each(median), settleP99Ms: each((of) => quantile(of, 0.99)), flood, ...wanted };
}

/** Has so many batches settled, one after another; gives how long each took from its acceptance on, ms. */
function settler({ apiUrl }: Stack, channels: Channel[], { batch }: Wanted) {
  const client = createClient({ url: apiUrl });
  return async (rounds: number): Promise<number[]> => {
    const times: number[] = [];
    for (let at = 0; at < rounds; at += 1) {
      const [payments = []] = await sign(channels, batch);
      const { items } = await client.payments.payBatch({ payments });
      const acceptedAt = performance.now();
      await untilSettled(client, items);
      times.push(performance.now() - acceptedAt);
    }
    return times;
  };
}

type Items = Awaited<ReturnType<Client["payments"]["payBatch"]>>["items"];

async function untilSettled(client: Client, items: Items): Promise<void> {
  const batches = new Set(
    items.map((item) => {
      if ("error" in item) throw new Error(`refused: ${JSON.stringify(item)}`);
      return item.receipt.batchId;
    }),
  );
  const givenUpAt = performance.now() + patienceMs;
  for (const batchId of batches)
    for (;;) {
      const { state } = await client.batches.show({ batchId });
      if (state === "settled") break;
      if (performance.now() > givenUpAt)
        throw new Error(`batch ${batchId} is ${state} after ${patienceMs} ms`);
      await delay(lookEveryMs);
    }
}

/** In a thread of its own; gives what ends it. */
async function startFlood(job: FloodJob): Promise<() => Promise<FloodTally>> {
  const worker = new Worker(new URL("./parts/floodRun.ts", import.meta.url), { workerData: job });
  const told = new Promise<FloodTally>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  await Promise.race([delay(floodMs), told]);
  return async () => {
    worker.postMessage("stop");
    const tally = await told;
    await worker.terminate();
    return tally;
  };
}

/** Budgets of agents that nobody plays, which the Treasury's owners set. */
async function makeEvents({ rpcUrl }: Stack, events: number): Promise<void> {
  const faucet = faucetOn(rpcUrl, chainId);
  const places = { usdc: contracts.TestUSDC, treasury: contracts.Treasury };
  const terms = budgetTerms("1/day");
  for (let from = 0; from < events; from += budgetsAtOnce) {
    const length = Math.min(budgetsAtOnce, events - from);
    const budgets = Array.from({ length }, (_, at) => ({
      agent: accountOf(`budget ${from + at}`).address,
      terms,
    }));
    await setBudgets(faucet, places, budgets);
  }
}

await main({
  rounds: count("rounds", values.rounds),
  batch: count("batch", values.batch),
  callers: count("callers", values.callers),
  readers: count("readers", values.readers),
  events: count("events", values.events),
});
