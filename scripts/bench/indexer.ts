// Events per second from a chain into PostgreSQL, block headers and reorg journal on, beside Ponder on the same chain,
// events and PostgreSQL in the same run, and beside what a bare COPY of the same rows reaches.
//   npm run bench:indexer [-- --json --rounds 3 --made 20000,200000,2000000 --no-ponder]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { type EmbeddedPostgres, startPostgres } from "#offchain/store/postgres.ts";
import { type RecordedChain, recordChain } from "./chainRecord.ts";
import type { ChainServerTask } from "./chainServer.ts";
import { copyRate } from "./copyRate.ts";
import { processorMs } from "./cpu.ts";
import type { IndexerRunResult, IndexerRunTask } from "./indexerRun.ts";
import { installPonder, type PonderRun, runPonder } from "./ponder.ts";

const help = `npm run bench:indexer [-- options]

  --rounds <n>     runs of each indexer on each recorded chain, in turn; the medians count (default 3)
  --made <list>    events of the made chains on which the time per event is taken (default 20000,200000,2000000;
                   empty: none)
  --no-ponder      leaves Ponder out
  --json           one JSON object as the last line`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    made: { type: "string", default: "20000,200000,2000000" },
    "no-ponder": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const root = join(import.meta.dirname, "../..");
const ponderFolder = join(root, "data/ponder");
/** Recorded chains: blocks, and events in each. */
const shapes = [
  [1_000, 20],
  [2_000, 100],
] as const;
const madeEventsPerBlock = 100;
const ponderPort = 22_069;

interface Comparison {
  events: number;
  eventsPerSecond: number;
  ponderEventsPerSecond: number | null;
  ratioToPonder: number | null;
  rssMb: number;
  ponderRssMb: number | null;
  microsecondsPerEvent: number;
  /** Processor time per event, of this service's process and of PostgreSQL together. */
  cpuMicroseconds: number | null;
}

/** How many databases were made: the next one's name. */
let databases = 0;

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(root, "data/bench-"));
  const postgresDir = join(dataDir, "postgres");
  const server = await startPostgres({ dataDir: postgresDir });
  const bench = { server, postgresDir };
  try {
    if (!values["no-ponder"]) await installPonder(ponderFolder);
    const compared: Comparison[] = [];
    let chain: RecordedChain | undefined;
    for (const [blocks, eventsPerBlock] of shapes) {
      console.error(`recording ${blocks * eventsPerBlock} events in ${blocks} blocks`);
      chain = await recordChain(join(dataDir, `${blocks}.ndjson`), blocks, eventsPerBlock);
      compared.push(await compare(bench, chain));
    }
    if (!chain) throw new Error("no chain was recorded");
    const made = await flatness(bench, chain, values.made.split(",").filter(Boolean).map(Number));
    console.error("COPY alone");
    const copyPerSecond = await copyRate(await freshDatabase(server), 200_000);
    report(compared, made, Math.round(copyPerSecond));
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function report(compared: readonly Comparison[], made: readonly object[], copyPerSecond: number): void {
  const largest = compared.at(-1);
  if (!largest) return;
  const figures = {
    ...largest,
    copyPerSecond,
    shareOfCopy: round(largest.eventsPerSecond / copyPerSecond),
    cores: availableParallelism(),
  };
  console.table(compared);
  console.table(made);
  console.table(figures);
  if (values.json) console.log(JSON.stringify({ ...figures, chains: compared, made }));
}

interface Bench {
  readonly server: EmbeddedPostgres;
  readonly postgresDir: string;
}

/** Both indexers in turn on one chain, so that what else the machine does meets both; the medians of the rounds. */
async function compare(bench: Bench, chain: RecordedChain): Promise<Comparison> {
  const node = await serveChain({ file: chain.file });
  const [ours, theirs, cpu]: [IndexerRunResult[], PonderRun[], (number | null)[]] = [[], [], []];
  try {
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      console.error(`${chain.events} events, round ${round}: ours`);
      const { result, databaseMs } = await ourRun(bench, node.url, chain);
      if (result.events !== chain.events) throw new Error(`${result.events} of ${chain.events} are indexed`);
      ours.push(result);
      cpu.push(databaseMs && (result.cpuSeconds * 1e6 + databaseMs * 1e3) / chain.events);
      if (values["no-ponder"]) continue;
      console.error(`${chain.events} events, round ${round}: Ponder`);
      const name = await freshName(bench.server);
      const { host, username } = bench.server.connection;
      theirs.push(
        await runPonder({
          folder: ponderFolder,
          databaseUrl: `postgresql://${username}@${encodeURIComponent(host)}/${name}`,
          rpcUrl: node.url,
          address: chain.address,
          port: ponderPort,
        }),
      );
    }
  } finally {
    await node.stop();
  }
  const eventsPerSecond = median(ours.map(({ events, seconds }) => events / seconds));
  const ponder = theirs.length > 0 ? median(theirs.map(({ events, seconds }) => events / seconds)) : null;
  return {
    events: chain.events,
    eventsPerSecond: Math.round(eventsPerSecond),
    ponderEventsPerSecond: ponder && Math.round(ponder),
    ratioToPonder: ponder && round(eventsPerSecond / ponder),
    rssMb: median(ours.map(({ peakRssMb }) => peakRssMb)),
    ponderRssMb: theirs.length > 0 ? median(theirs.map(({ peakRssMb }) => peakRssMb)) : null,
    microsecondsPerEvent: round(1e6 / eventsPerSecond),
    cpuMicroseconds: cpu[0] == null ? null : round(median(cpu.map((each) => each ?? 0))),
  };
}

/** Time per event and memory on chains of any length, made of the recording's last block. */
async function flatness({ server, postgresDir }: Bench, chain: RecordedChain, sizes: readonly number[]) {
  const runs = [];
  for (const events of sizes) {
    console.error(`${events} events, made`);
    const blocks = events / madeEventsPerBlock;
    const node = await serveChain({ file: chain.file, blocks });
    try {
      const { result, databaseMs } = await ourRun({ server, postgresDir }, node.url, {
        ...chain,
        blocks: blocks + 1,
      });
      if (result.events !== events) throw new Error(`${result.events} of ${events} are indexed`);
      runs.push({
        events,
        eventsPerSecond: Math.round(events / result.seconds),
        microsecondsPerEvent: round((result.seconds * 1e6) / events),
        cpuMicroseconds: databaseMs && round((result.cpuSeconds * 1e6 + databaseMs * 1e3) / events),
        rssMb: result.peakRssMb,
        rssByQuarterMb: result.rssMb.join(" "),
      });
    } finally {
      await node.stop();
    }
  }
  return runs;
}

async function ourRun({ server, postgresDir }: Bench, rpcUrl: string, chain: RecordedChain) {
  const task: IndexerRunTask = {
    connection: await freshDatabase(server),
    rpcUrl,
    address: chain.address,
    head: chain.blocks - 1,
  };
  const before = await processorMs(postgresDir);
  const own = process.cpuUsage();
  const child = spawn(process.execPath, [join(import.meta.dirname, "indexerRun.ts"), JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  for await (const line of createInterface({ input: child.stdout })) said = line;
  const after = await processorMs(postgresDir);
  const { user, system } = process.cpuUsage(own);
  if (said === "") throw new Error("the indexer's run ended without a word");
  return {
    result: JSON.parse(said) as IndexerRunResult,
    // Of the server alone: this process's own share is taken off.
    databaseMs: before === null || after === null ? null : after - before - (user + system) / 1_000,
  };
}

/** A process that serves the chain. */
async function serveChain(task: ChainServerTask): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "chainServer.ts"), JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [port] = (await once(lines, "line")) as [string];
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

async function freshName({ connection }: EmbeddedPostgres): Promise<string> {
  const admin = postgres({ ...connection, max: 1 });
  const name = `bench_${databases++}`;
  await admin`CREATE DATABASE ${admin(name)}`;
  await admin.end();
  return name;
}

async function freshDatabase(server: EmbeddedPostgres) {
  return { ...server.connection, database: await freshName(server) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
