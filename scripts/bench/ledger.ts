// Durable two-phase transfers per second (pending + posted, idempotency keys, balance and budget checks, fsync on), each
// caller waiting for both durable answers, beside the same work one transaction at a time on the same PostgreSQL.
//   npm run bench:ledger [-- --json --callers 1,16,256 --entries 10000,1000000 --seconds 5]
import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { migrations } from "#offchain/app/migrations.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { AccountName, LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { processorMs } from "./parts/cpu.ts";
import { benchFolder } from "./parts/folder.ts";
import { oneAtATime } from "./parts/oneAtATime.ts";

const help = `npm run bench:ledger [-- options]

  --callers <list>   concurrent callers of the curve (default 1,4,16,64,256,1000,2000,4000)
  --entries <list>   how full the ledger is when the rate by size is taken (default 10000,100000,300000; up to
                     10000000 takes some minutes)
  --accounts <n>     accounts that pay each other (default 1000)
  --seconds <s>      length of every run (default 3)
  --json             one JSON object as the last line

BURSAR_POSTGRES_BIN=<folder> measures another build of PostgreSQL than npm's, e.g. /usr/lib/postgresql/15/bin.`;

const values = readCommand(help, {
  callers: { type: "string", default: "1,4,16,64,256,1000,2000,4000" },
  entries: { type: "string", default: "10000,100000,300000" },
  accounts: { type: "string", default: "1000" },
  seconds: { type: "string", default: "3" },
  json: { type: "boolean", default: false },
});

const unit = "USDC";
/** Callers at which the rate by size, and the rate beside the other way, are taken. */
const crowd = 4_000;
const pooledClients = 8;
const rounds = 3;
const clock = { now: () => Date.now() };

/** The server that is measured; set before anything is. */
let postgresDir = "";

interface Run {
  callers: number;
  entries: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time per transfer, of callers, service and database together. */
  cpuMicroseconds: number | null;
}

await main();

async function main(): Promise<void> {
  const numbers = (list: string) => list.split(",").map(Number);
  const dataDir = await benchFolder("ledger");
  postgresDir = join(dataDir, "postgres");
  const server = await startPostgres({
    dataDir: postgresDir,
    programsDir: process.env.BURSAR_POSTGRES_BIN,
  });
  const sql = await openDatabase({
    connection: server.connection,
    maxConnections: pooledClients,
    migrations,
  });
  try {
    const disk = {
      fsyncPerSecond: await syncRate(dataDir, 8_192),
      megabytesPerSecond: ((await syncRate(dataDir, 2 ** 20)) * 2 ** 20) / 1e6,
    };
    const report = await measure(sql, {
      callers: numbers(values.callers),
      entries: numbers(values.entries),
      accounts: Number(values.accounts),
      durationMs: Number(values.seconds) * 1_000,
      disk,
    });
    console.table(report.curve);
    const { curve: _, ...figures } = report;
    console.table(figures);
    if (values.json) console.log(JSON.stringify(report));
  } finally {
    await sql.end();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measure(
  sql: Sql,
  options: {
    callers: number[];
    entries: number[];
    accounts: number;
    durationMs: number;
    disk: { fsyncPerSecond: number; megabytesPerSecond: number };
  },
) {
  const { durationMs } = options;
  const { fsyncPerSecond } = options.disk;
  const ledger = openLedger(sql, clock);
  const accounts = await fund(sql, ledger, options.accounts);
  console.error("warming up");
  await load(ledger, accounts, 256, durationMs);
  const curve: Run[] = [];
  for (const callers of options.callers) {
    console.error(`${callers} callers`);
    const before = await entriesOf(sql);
    curve.push({ callers, entries: before, ...(await load(ledger, accounts, callers, durationMs)) });
  }
  const sides = await sideBySide(sql, ledger, accounts, durationMs);
  for (const entries of options.entries) {
    console.error(`growing to ${entries} entries`);
    while ((await entriesOf(sql)) < entries) await load(ledger, accounts, crowd, 2_000);
    const before = await entriesOf(sql);
    curve.push({ callers: crowd, entries: before, ...(await load(ledger, accounts, crowd, durationMs)) });
  }
  const trial = await ledger.trialBalance();
  if (!trial.balanced) throw new Error("the books do not balance");
  const lone = curve.find(({ callers }) => callers === 1);
  return {
    twoPhasePerSecond: Math.round(sides.together),
    oneAtATimePerSecond: Math.round(sides.alone),
    ratio: round(sides.together / sides.alone),
    // Less than the ledger's work: without its hash chain.
    oneAtATimeUnchainedPerSecond: Math.round(sides.unchained),
    cpuMicroseconds: sides.togetherCpu,
    oneAtATimeCpuMicroseconds: sides.aloneCpu,
    cpuRatio: round(sides.aloneCpu / sides.togetherCpu),
    // What all cores could carry if they did nothing else: the limit of this machine, and how much of it was reached.
    cpuBoundPerSecond: Math.round((availableParallelism() * 1e6) / sides.togetherCpu),
    shareOfCpuBound: round((sides.together * sides.togetherCpu) / (availableParallelism() * 1e6)),
    p50Ms: sides.p50Ms,
    p99Ms: sides.p99Ms,
    loneP50Ms: lone?.p50Ms ?? null,
    loneP99Ms: lone?.p99Ms ?? null,
    fsyncPerSecond: Math.round(fsyncPerSecond),
    // Every durable answer by itself would cost one sync: what the disk would allow without groups.
    syncBoundPerSecond: Math.round(fsyncPerSecond / 2),
    timesSyncBound: round(sides.together / (fsyncPerSecond / 2)),
    walBytesPerTransfer: Math.round(sides.walBytesPerTransfer),
    walMegabytesPerSecond: round((sides.walBytesPerTransfer * sides.together) / 1e6),
    diskMegabytesPerSecond: round(options.disk.megabytesPerSecond),
    shareOfDisk: round((sides.walBytesPerTransfer * sides.together) / 1e6 / options.disk.megabytesPerSecond),
    cores: availableParallelism(),
    server: await serverVersion(sql),
    accounts: options.accounts,
    curve,
  };
}

/** Both ways in turn, so that what else the machine does meets both; the medians of the rounds. */
async function sideBySide(sql: Sql, ledger: Ledger, accounts: readonly AccountName[], durationMs: number) {
  const [alone, together]: [number[], Awaited<ReturnType<typeof load>>[]] = [[], []];
  const [walBytes, transfers] = [[0n], [0]];
  const aloneCpu: number[] = [];
  const unchained: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`round ${round}: one transaction at a time, ${pooledClients} pooled clients`);
    const cpuBefore = await processorMs(postgresDir);
    const one = await oneAtATime(sql, { clients: pooledClients, durationMs, isChained: true });
    alone.push(one.perSecond);
    aloneCpu.push(perTransfer(cpuBefore, await processorMs(postgresDir), one.transfers) ?? 0);
    const less = await oneAtATime(sql, { clients: pooledClients, durationMs, isChained: false });
    unchained.push(less.perSecond);
    // The accounts moved behind the ledger's back: it looks again before it is measured.
    await load(ledger, accounts, 256, 500);
    console.error(`round ${round}: ${crowd} callers`);
    const [walBefore, entriesBefore] = [await walPosition(sql), await entriesOf(sql)];
    together.push(await load(ledger, accounts, crowd, durationMs));
    walBytes.push((await walPosition(sql)) - walBefore);
    transfers.push(((await entriesOf(sql)) - entriesBefore) / 2);
  }
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    alone: median(alone),
    unchained: median(unchained),
    aloneCpu: median(aloneCpu),
    togetherCpu: median(together.map(({ cpuMicroseconds }) => cpuMicroseconds ?? 0)),
    together: median(together.map(({ perSecond }) => perSecond)),
    p50Ms: median(together.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(together.map(({ p99Ms }) => p99Ms)),
    walBytesPerTransfer: sum(walBytes.map(Number)) / sum(transfers),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Opens the accounts, each with money and with limits that every hold is checked against. */
async function fund(sql: Sql, ledger: Ledger, count: number): Promise<AccountName[]> {
  const names = Array.from({ length: count }, (_, at): AccountName => `agent:${at}`);
  const outcomes = await ledger.submit(
    names.map((credit) => ({
      kind: "transfer",
      key: `fund ${credit}`,
      debit: "issuer:bench",
      credit,
      unit,
      amount: 10n ** 15n,
    })),
  );
  if (outcomes.some(({ ok }) => !ok)) throw new Error("funding was refused");
  await sql`
    UPDATE account SET limit_transaction = 1000000, limit_hourly = 1e15, limit_daily = 1e15, limit_weekly = 1e15,
      limit_monthly = 1e15 WHERE NOT external`;
  return names;
}

/** Each caller holds, waits, posts, waits, and starts again, until the time is up. */
async function load(
  ledger: Ledger,
  accounts: readonly AccountName[],
  callers: number,
  durationMs: number,
): Promise<Omit<Run, "callers" | "entries">> {
  const latencies: number[] = [];
  const cpuBefore = await processorMs(postgresDir);
  const startedAt = performance.now();
  const endsAt = startedAt + durationMs;
  const caller = async () => {
    while (performance.now() < endsAt) {
      const began = performance.now();
      await twoPhase(ledger, accounts);
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const perSecond = (latencies.length * 1_000) / (performance.now() - startedAt);
  const cpuMicroseconds = perTransfer(cpuBefore, await processorMs(postgresDir), latencies.length);
  latencies.sort((a, b) => a - b);
  const quantile = (share: number) => round(latencies[Math.floor(latencies.length * share)] ?? 0);
  return { perSecond: Math.round(perSecond), p50Ms: quantile(0.5), p99Ms: quantile(0.99), cpuMicroseconds };
}

function perTransfer(before: number | null, after: number | null, transfers: number): number | null {
  return before === null || after === null ? null : round(((after - before) * 1_000) / transfers);
}

async function twoPhase(ledger: Ledger, accounts: readonly AccountName[]): Promise<void> {
  const from = Math.floor(Math.random() * accounts.length);
  const to = (from + 1 + Math.floor(Math.random() * (accounts.length - 1))) % accounts.length;
  const held = await done(ledger, {
    kind: "hold",
    key: randomUUID(),
    debit: accounts[from] ?? "agent:0",
    credit: accounts[to] ?? "agent:1",
    unit,
    amount: BigInt(1 + Math.floor(Math.random() * 1_000)),
    expiresAt: Date.now() + 3_600_000,
  });
  await done(ledger, { kind: "post", key: randomUUID(), transferId: held });
}

async function done(ledger: Ledger, operation: LedgerOperation): Promise<string> {
  const [outcome] = await ledger.submit([operation]);
  if (!outcome?.ok) throw outcome?.error ?? new Error("no outcome");
  return outcome.transfer.id;
}

async function entriesOf(sql: Sql): Promise<number> {
  const [row] = await sql<
    { entries: number }[]
  >`SELECT coalesce(sum(height) * 2, 0)::int AS entries FROM journal_head`;
  return row?.entries ?? 0;
}

async function serverVersion(sql: Sql): Promise<string> {
  const [row] = await sql<{ server_version: string }[]>`SHOW server_version`;
  return row?.server_version ?? "";
}

async function walPosition(sql: Sql): Promise<bigint> {
  const [row] = await sql<
    { bytes: bigint }[]
  >`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS bytes`;
  return row?.bytes ?? 0n;
}

/** Writes of so many bytes, each synced before the next, as a write-ahead log makes them: the disk's limits. */
async function syncRate(folder: string, bytes: number): Promise<number> {
  const file = await open(join(folder, "sync"), "w");
  const block = Buffer.alloc(bytes, 1);
  const startedAt = performance.now();
  let count = 0;
  for (; performance.now() < startedAt + 1_000; count += 1) {
    await file.write(block, 0, block.length, (count % Math.ceil(2 ** 26 / bytes)) * block.length);
    await file.datasync();
  }
  const perSecond = (count * 1_000) / (performance.now() - startedAt);
  await file.close();
  return perSecond;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
