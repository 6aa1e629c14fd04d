// Events per second from a chain into PostgreSQL, block headers and reorg journal on, beside Ponder on the same chain,
// events and PostgreSQL in the same run, and beside the limits: bare eth_getLogs of the same events, a bare COPY of rows.
//   npm run bench:indexer [-- --json --rounds 3 --made 20000,200000,2000000 --no-ponder]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";
import { processorMs } from "../parts/cpu.ts";
import { benchFolder } from "../parts/folder.ts";
import { type RecordedChain, recordChain } from "./chainRecord.ts";
import type { ChainServerTask } from "./chainServer.ts";
import { copyRate } from "./copyRate.ts";
import { getLogsRate } from "./getLogs.ts";
import type { IndexerRunResult, IndexerRunTask } from "./indexerRun.ts";
import { installPonder, runPonder } from "./ponder.ts";

const help = `npm run bench:indexer [-- options]

  --rounds <n>     runs of each indexer on each recorded chain, in turn; the medians count (default 3)
  --made <list>    events of the made chains on which the time per event is taken (default 20000,200000,2000000;
                   empty: none)
  --no-ponder      leaves Ponder out
  --json           one JSON object as the last line`;

const values = readCommand(help, {
  rounds: { type: "string", default: "3" },
  made: { type: "string", default: "20000,200000,2000000" },
  "no-ponder": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});

const root = join(import.meta.dirname, "../../..");
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
  getLogsPerSecond: number;
  rssMb: number;
  ponderRssMb: number | null;
  microsecondsPerEvent: number;
  /** Processor time per event, of this service's process and of PostgreSQL together. */
  cpuMicroseconds: number | null;
  ponderCpuMicroseconds: number | null;
  /** Unlike the other ratio, this one does not depend on what else the machine does. */
  cpuRatioToPonder: number | null;
}

/** How many databases were made: the next one's name. */
let databases = 0;

await main();

async function main(): Promise<void> {
  const dataDir = await benchFolder("indexer");
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
    // What the cores could carry if they did nothing else: independent of what else the machine did meanwhile.
    cpuBoundPerSecond:
      largest.cpuMicroseconds && Math.round((availableParallelism() * 1e6) / largest.cpuMicroseconds),
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
  const [ours, theirs]: [Measured[], Measured[]] = [[], []];
  const bare: number[] = [];
  try {
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      console.error(`${chain.events} events, round ${round}: ours`);
      const run = await ourRun(bench, node.url, chain);
      if (run.events !== chain.events) throw new Error(`${run.events} of ${chain.events} are indexed`);
      ours.push(run);
      bare.push(await getLogsRate(node.url, chain));
      if (values["no-ponder"]) continue;
      console.error(`${chain.events} events, round ${round}: Ponder`);
      theirs.push(await ponderRun(bench, node.url, chain));
    }
  } finally {
    await node.stop();
  }
  const [mine, ponder] = [medians(ours), theirs.length > 0 ? medians(theirs) : null];
  const ratio = (pick: (of: typeof mine) => number | null) => {
    const [one, other] = [pick(mine), ponder && pick(ponder)];
    return one === null || other === null ? null : one / other;
  };
  const [speedRatio, cpuRatio] = [
    ratio(({ perSecond }) => perSecond),
    ratio(({ cpuMicroseconds }) => cpuMicroseconds),
  ];
  return {
    events: chain.events,
    eventsPerSecond: Math.round(mine.perSecond),
    ponderEventsPerSecond: ponder && Math.round(ponder.perSecond),
    ratioToPonder: speedRatio && round(speedRatio),
    getLogsPerSecond: Math.round(median(bare)),
    rssMb: mine.rssMb,
    ponderRssMb: ponder?.rssMb ?? null,
    microsecondsPerEvent: round(1e6 / mine.perSecond),
    cpuMicroseconds: mine.cpuMicroseconds && round(mine.cpuMicroseconds),
    ponderCpuMicroseconds: ponder?.cpuMicroseconds ? round(ponder.cpuMicroseconds) : null,
    cpuRatioToPonder: cpuRatio && round(1 / cpuRatio),
  };
}

/** One run of an indexer, and what PostgreSQL had to do for it. */
interface Measured {
  events: number;
  seconds: number;
  cpuSeconds: number;
  peakRssMb: number;
  databaseMs: number | null;
}

function medians(runs: readonly Measured[]) {
  const cpu = runs.flatMap(({ cpuSeconds, databaseMs, events }) =>
    databaseMs === null ? [] : [(cpuSeconds * 1e6 + databaseMs * 1e3) / events],
  );
  return {
    perSecond: median(runs.map(({ events, seconds }) => events / seconds)),
    rssMb: median(runs.map(({ peakRssMb }) => peakRssMb)),
    cpuMicroseconds: cpu.length > 0 ? median(cpu) : null,
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
      const run = await ourRun({ server, postgresDir }, node.url, { ...chain, blocks: blocks + 1 });
      if (run.events !== events) throw new Error(`${run.events} of ${events} are indexed`);
      const { cpuMicroseconds } = medians([run]);
      runs.push({
        events,
        eventsPerSecond: Math.round(events / run.seconds),
        microsecondsPerEvent: round((run.seconds * 1e6) / events),
        cpuMicroseconds: cpuMicroseconds && round(cpuMicroseconds),
        rssMb: run.peakRssMb,
        rssByQuarterMb: run.rssMb.join(" "),
      });
    } finally {
      await node.stop();
    }
  }
  return runs;
}

async function ourRun(
  { server, postgresDir }: Bench,
  rpcUrl: string,
  chain: RecordedChain,
): Promise<IndexerRunResult & Measured> {
  const task: IndexerRunTask = {
    connection: await freshDatabase(server),
    rpcUrl,
    address: chain.address,
    head: chain.blocks - 1,
  };
  const { value, databaseMs } = await watchingDatabase(postgresDir, async () => {
    const file = join(import.meta.dirname, "indexerRun.ts");
    const child = spawn(process.execPath, [file, JSON.stringify(task)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    for await (const line of createInterface({ input: child.stdout })) said = line;
    if (said === "") throw new Error("the indexer's run ended without a word");
    return JSON.parse(said) as IndexerRunResult;
  });
  return { ...value, databaseMs };
}

async function ponderRun({ server, postgresDir }: Bench, rpcUrl: string, chain: RecordedChain) {
  const name = await freshName(server);
  const { host, username } = server.connection;
  const { value, databaseMs } = await watchingDatabase(postgresDir, () =>
    runPonder({
      folder: ponderFolder,
      databaseUrl: `postgresql://${username}@${encodeURIComponent(host)}/${name}`,
      rpcUrl,
      address: chain.address,
      port: ponderPort,
    }),
  );
  return { ...value, databaseMs };
}

/** Runs the work and says how much processor time the database server spent meanwhile; null where nothing tells. */
async function watchingDatabase<T>(postgresDir: string, work: () => Promise<T>) {
  const [before, own] = [await processorMs(postgresDir), process.cpuUsage()];
  const value = await work();
  const after = await processorMs(postgresDir);
  const { user, system } = process.cpuUsage(own);
  // This process's own share is taken off.
  const databaseMs = before === null || after === null ? null : after - before - (user + system) / 1_000;
  return { value, databaseMs };
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
  const admin = await openDatabase({ connection, maxConnections: 1, migrations: noMigrations });
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
