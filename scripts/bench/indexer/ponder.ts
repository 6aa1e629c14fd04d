import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Hex } from "viem";
import { peakMemoryMb, processSeconds } from "../parts/cpu.ts";

/** The newest version that the npm registry's packages let install. */
const version = "0.16.10";
const packages = { ponder: version, viem: "2.57.1", hono: "4.13.19" };
/** One address many times: by itself Ponder paces its requests to each at 20 a second. */
const tunedUrls = 25;
const readyTimeoutMs = 900_000;

export interface PonderRun {
  /** Of the backfill: what it says itself that it indexed. */
  events: number;
  /** From "Started backfill indexing" to ready, its own log's times. */
  seconds: number;
  /** Processor time of its process in that time. */
  cpuSeconds: number;
  peakRssMb: number;
}

/** Puts Ponder and a project of one contract's one event into the folder; npm does the rest, once. */
export async function installPonder(folder: string): Promise<void> {
  const files: Record<string, string> = {
    "ponder.config.ts": config,
    "ponder.schema.ts": schema,
    "src/index.ts": handler,
    "src/api/index.ts": api,
  };
  await mkdir(join(folder, "src/api"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const manifest = JSON.stringify({
    name: "ponder-bench",
    private: true,
    type: "module",
    dependencies: packages,
  });
  const file = join(folder, "package.json");
  if ((await readFile(file, "utf8").catch(() => "")) === manifest) return;
  console.error(`installing ponder ${version}`);
  await writeFile(file, manifest);
  await run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], folder);
  await writeFile(file, manifest);
}

/** Indexes the chain from an empty database until Ponder says that it is ready. */
export async function runPonder(options: {
  folder: string;
  databaseUrl: string;
  rpcUrl: string;
  address: Hex;
  port: number;
}): Promise<PonderRun> {
  const child = spawn(
    process.execPath,
    [
      join(options.folder, "node_modules/ponder/dist/esm/bin/ponder.js"),
      ...["start", "--schema", "bench", "--port", String(options.port), "--log-format", "json"],
    ],
    {
      cwd: options.folder,
      env: {
        ...process.env,
        DATABASE_URL: options.databaseUrl,
        BENCH_RPC: JSON.stringify(Array(tunedUrls).fill(options.rpcUrl)),
        BENCH_ADDRESS: options.address,
        PONDER_TELEMETRY_DISABLED: "true",
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  const timer = setTimeout(() => child.kill("SIGKILL"), readyTimeoutMs);
  const pid = child.pid ?? 0;
  let [events, startedAt, readyAt, peakRssMb, cpuBefore] = [0, 0, 0, 0, 0];
  const words: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    words.push(line);
    const said = parsed(line);
    if (said?.msg === "Started backfill indexing") {
      startedAt = said.time;
      cpuBefore = await processSeconds(pid);
    }
    if (said?.msg === "Indexed block range") events += said.event_count ?? 0;
    if (said && startedAt > 0) peakRssMb = Math.max(peakRssMb, await peakMemoryMb(pid));
    if (said?.msg?.startsWith("Completed backfill indexing")) {
      readyAt = said.time;
      break;
    }
  }
  const cpuSeconds = (await processSeconds(pid)) - cpuBefore;
  child.kill("SIGKILL");
  await gone;
  clearTimeout(timer);
  if (readyAt === 0) throw new Error(`Ponder did not get ready:\n${words.slice(-20).join("\n")}`);
  return { events, seconds: (readyAt - startedAt) / 1_000, cpuSeconds, peakRssMb };
}

function parsed(line: string): { msg?: string; time: number; event_count?: number } | null {
  try {
    return JSON.parse(line);
  } catch {
    // Not every line is of the log.
    return null;
  }
}

function run(program: string, args: string[], cwd: string): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => (code === 0 ? done() : fail(new Error(`${program} ended with ${code}`))));
  });
}

const config = `import { createConfig } from "ponder";
import { parseAbi } from "viem";
export default createConfig({
  chains: { local: { id: 31337, rpc: JSON.parse(process.env.BENCH_RPC) } },
  contracts: {
    Emitter: {
      chain: "local",
      abi: parseAbi(["event Transfer(address indexed from, address indexed to, uint256 value)"]),
      address: process.env.BENCH_ADDRESS as \`0x\${string}\`,
      startBlock: 0,
    },
  },
});
`;

const schema = `import { onchainTable } from "ponder";
export const account = onchainTable("account", (t) => ({ address: t.hex().primaryKey(), balance: t.bigint().notNull() }));
export const transfer = onchainTable("transfer", (t) => ({
  id: t.text().primaryKey(),
  from: t.hex().notNull(),
  to: t.hex().notNull(),
  value: t.bigint().notNull(),
  blockNumber: t.bigint().notNull(),
  transactionHash: t.hex().notNull(),
}));
`;

/** The same effects as this service's run: the event is kept, and two balances move. */
const handler = `import { ponder } from "ponder:registry";
import { account, transfer } from "ponder:schema";
ponder.on("Emitter:Transfer", async ({ event, context }) => {
  const { from, to, value } = event.args;
  await context.db.insert(transfer).values({
    id: event.id, from, to, value, blockNumber: event.block.number, transactionHash: event.transaction.hash,
  });
  await context.db.insert(account).values({ address: from, balance: -value })
    .onConflictDoUpdate((row) => ({ balance: row.balance - value }));
  await context.db.insert(account).values({ address: to, balance: value })
    .onConflictDoUpdate((row) => ({ balance: row.balance + value }));
});
`;

const api = `import { Hono } from "hono";
export default new Hono();
`;
