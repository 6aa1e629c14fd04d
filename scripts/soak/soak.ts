// Two hundred agents at work while everything fails around them; at the end ledger, chain and receipts must agree to
// the base unit.   npm run soak [-- --minutes 10 --seed 1 --agents 200 --json]
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { migrations } from "#offchain/app/migrations.ts";
import { createRandom } from "#offchain/demo/random.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { untilAnswered } from "#offchain/sdk/http/retry.ts";
import { SoakAgent } from "./agent.ts";
import { checkAll, Difference } from "./check.ts";
import { anyOf } from "./connection.ts";
import { bentChain, makeTrouble } from "./faults.ts";
import { type Machines, startMachines } from "./machines.ts";
import { Tally } from "./tally.ts";
import { chainId, fund, operator, walletOf } from "./wallets.ts";

const help = `npm run soak [-- options]

  --minutes <n>   how long the agents work (default 10)
  --seed <n>      decides the wallets, each agent's choices and the order of the faults (default 1)
  --agents <n>    default 200
  --port <n>      first of the ports that are tried (default 26000)
  --keep          leave the database and the logs, whatever the outcome
  --json          one JSON object as the last line

Exit code 1 when something does not agree; the first difference is named and the data folder is kept.`;

const values = readCommand(help, {
  minutes: { type: "string", default: "10" },
  seed: { type: "string", default: "1" },
  agents: { type: "string", default: "200" },
  port: { type: "string", default: "26000" },
  keep: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});

const root = join(import.meta.dirname, "../..");
/** Each agent has as much on the ledger at the start. */
const issuedUsdc = "100";
const issued = 100_000_000n;
const settings = {
  minutes: Number(values.minutes),
  seed: Number(values.seed),
  agents: Number(values.agents),
};
/** Longest rest of an agent between two deeds. */
const restMaxMs = 4_000;
const setUpTogether = 20;
const progressEveryMs = 5_000;
const finishTimeoutMs = 120_000;
const settleTimeoutMs = 180_000;
/** The channels' withdrawal delay is a day. */
const withdrawalSeconds = 86_401;

const say = (what: string) => console.error(what);

await main();

async function main(): Promise<void> {
  await mkdir(join(root, "data"), { recursive: true });
  const dataDir = await mkdtemp(join(root, "data/soak-"));
  const random = createRandom(settings.seed, 2);
  const machines = await startMachines(dataDir, Number(values.port), random, say);
  // A Ctrl-C leaves nothing running behind.
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => void machines.stop().finally(() => process.exit(130)));
  const tally = new Tally();
  let difference: string | null = null;
  try {
    const report = await soak(machines, tally);
    console.log(JSON.stringify(report, null, 2));
    if (values.json) console.log(JSON.stringify({ ...settings, ...report, ...tally.summary() }));
  } catch (error) {
    difference = error instanceof Difference ? error.message : ((error as Error).stack ?? String(error));
    console.log(JSON.stringify(tally.summary(), null, 2));
    console.error(`\nDIFFERENCE: ${difference}\nlogs and database: ${dataDir}`);
    if (values.json) console.log(JSON.stringify({ ...settings, difference, ...tally.summary() }));
    process.exitCode = 1;
  } finally {
    await machines.stop();
    if (difference === null && !values.keep) await rm(dataDir, { recursive: true, force: true });
  }
}

async function soak(machines: Machines, tally: Tally) {
  const fetch = anyOf(machines.apiUrls);
  const [apiUrl] = machines.apiUrls;
  const authorize = signRequests(operator, chainId);
  const client = createClient({ url: apiUrl, fetch, authorize });
  const deposits = { underWay: 0 };
  const agents = Array.from(
    { length: settings.agents },
    (_, at) =>
      new SoakAgent({
        account: walletOf(settings.seed, at),
        deposits,
        apiUrl,
        rpcUrl: machines.rpcUrl,
        fetch,
        random: createRandom(settings.seed, 100 + at),
        tell: (deed, outcome) => tally.count(deed, outcome),
      }),
  );
  say(`setting up ${agents.length} agents`);
  await fund(
    machines.rpcUrl,
    agents.map(({ address }) => address),
  );
  for (let from = 0; from < agents.length; from += setUpTogether)
    await Promise.all(
      agents.slice(from, from + setUpTogether).map(async ({ address, sdk }, at) => {
        await sdk.register(`Agent ${from + at + 1}`, "soak");
        await client.ledger.issue({ key: `fund-${address}`, to: address, unit: "USDC", amount: issuedUsdc });
      }),
    );

  const startedAt = performance.now();
  const stopping = new AbortController();
  const progress = setInterval(
    () => say(tally.line(performance.now() - startedAt, machines)),
    progressEveryMs,
  );
  const trouble = makeTrouble(machines, settings.seed, stopping.signal, (name) => tally.fault(name));
  try {
    const work = agents.map((agent, at) => live(agent, agents, at, stopping.signal));
    await Promise.race([pause(settings.minutes * 60_000), trouble]);
    stopping.abort();
    say("the time is up: healing, and finishing what is open");
    await Promise.all([...work, trouble]);
    machines.rpc.setFailPercent(0);
    await finish(agents);
    await settleAll(client, machines);
    say("ending the withdrawals whose delay is over");
    tally.withdrawals = await endWithdrawals(agents, machines);
    await settleAll(client, machines);
  } finally {
    stopping.abort();
    clearInterval(progress);
  }
  say("comparing agents, receipts, chain and ledger");
  if (machines.fallen()) throw new Difference(`the ${machines.fallen()} ended by itself`);
  const sql = await openDatabase({ connection: machines.postgres, maxConnections: 2, migrations });
  try {
    const agreement = await checkAll({ client, chain: bentChain(machines.rpcUrl), sql, agents, issued });
    return { ...agreement, faults: tally.faults };
  } finally {
    await sql.end({ timeoutMs: 5_000 });
  }
}

/** One deed after another until the signal. */
async function live(
  agent: SoakAgent,
  agents: readonly SoakAgent[],
  at: number,
  signal: AbortSignal,
): Promise<void> {
  const random = createRandom(settings.seed, 10_000 + at);
  while (!signal.aborted) {
    await pause(random.below(restMaxMs), undefined, { signal }).catch(() => {});
    if (!signal.aborted) await agent.act(agents);
  }
}

/** Has everything that was begun answered. */
async function finish(agents: readonly SoakAgent[]): Promise<void> {
  const deadline = performance.now() + finishTimeoutMs;
  for (;;) {
    const open = agents.filter(({ hasUnfinished }) => hasUnfinished);
    if (open.length === 0) return;
    if (performance.now() > deadline)
      throw new Difference(`${open.length} agents have deeds that nobody answers`);
    await Promise.all(open.map((agent) => agent.finish()));
    await pause(500);
  }
}

/** Until the chain has every batch; new blocks come meanwhile, as on any chain. */
async function settleAll(client: ReturnType<typeof createClient>, { rpcUrl }: Machines): Promise<void> {
  const chain = bentChain(rpcUrl);
  const deadline = performance.now() + settleTimeoutMs;
  for (;;) {
    await untilAnswered(() => client.batches.flush());
    await chain.mine({ blocks: 2 });
    await pause(200);
    const { payments } = await untilAnswered(() => client.overview.show());
    const batches = await untilAnswered(() => client.batches.list({ limit: 200 }));
    const waiting = batches.items.filter(({ state }) => state === "closed" || state === "submitted").length;
    if (payments.pending === 0 && waiting === 0) return;
    if (performance.now() > deadline)
      throw new Difference(
        `${payments.pending} payments, ${waiting} batches are not settled after ${settleTimeoutMs} ms`,
      );
  }
}

async function endWithdrawals(agents: readonly SoakAgent[], { rpcUrl }: Machines): Promise<number> {
  const chain = bentChain(rpcUrl);
  await chain.increaseTime({ seconds: withdrawalSeconds });
  await chain.mine({ blocks: 1 });
  let count = 0;
  for (const agent of agents) count += await agent.endWithdrawals();
  return count;
}
