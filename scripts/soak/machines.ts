import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "#offchain/demo/random.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";
import { freePort } from "../stack/port.ts";
import { type Program, startProgram, untilReady } from "../stack/process.ts";
import { beginnings } from "../stack/progress.ts";
import { startStack } from "../stack/stack.ts";
import { type FlakyRpc, startFlakyRpc } from "./flakyRpc.ts";
import { type SoakRedis, startRedis } from "./redis.ts";

const root = join(import.meta.dirname, "../..");
const readyTimeoutMs = 90_000;

/** Everything that runs: a chain, a flaky provider before it, PostgreSQL, Redis, two instances of the service. */
export interface Machines {
  /** The chain itself, not through the flaky provider. */
  readonly rpcUrl: string;
  readonly apiUrls: readonly [string, string];
  readonly rpc: FlakyRpc;
  readonly redis: SoakRedis | null;
  readonly postgres: EmbeddedPostgres["connection"];
  /** SIGKILL, and after a pause the same service again; resolves when it answers. */
  killService(which: number, downMs: number): Promise<void>;
  /** SIGKILL to the server's main process; its helpers follow. */
  killPostgres(downMs: number): Promise<void>;
  /** The first program that ended without being told to; null while all live. */
  fallen(): string | null;
  stop(): Promise<void>;
}

/** Small and frequent batches, so that a minute has hundreds; the price-aware mode, so that its waits are among what is tried. */
const serviceEnv = {
  BURSAR_LOG_LEVEL: "warn",
  BURSAR_POLL_INTERVAL_MS: "200",
  BURSAR_BATCH_SIZE: "50",
  BURSAR_BATCH_MAX_DELAY_MS: "3000",
  BURSAR_BATCH_MIN_AMOUNT: "0.25",
  BURSAR_BATCH_MODE: "price-aware",
  BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0",
  BURSAR_SENDER_REPLACE_AFTER_MS: "5000",
};

export async function startMachines(
  dataDir: string,
  basePort: number,
  random: Random,
  onProgress: (what: string) => void,
): Promise<Machines> {
  const closing: Closing = [];
  const stop = async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    return { ...(await bringUp({ dataDir, basePort, random, onProgress }, closing)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What to stop, in the order in which it was started. */
type Closing = (() => Promise<unknown>)[];

interface Wanted {
  readonly dataDir: string;
  readonly basePort: number;
  readonly random: Random;
  readonly onProgress: (what: string) => void;
}

async function bringUp(
  { dataDir, basePort, random, onProgress }: Wanted,
  closing: Closing,
): Promise<Omit<Machines, "stop">> {
  const chainPort = await freePort(basePort);
  const rpcUrl = `http://127.0.0.1:${chainPort}`;
  const rpc = await startFlakyRpc(rpcUrl, await freePort(basePort + 100), random);
  closing.push(() => rpc.stop());
  const redis = await startRedis();
  if (redis) closing.push(() => redis.stop());
  const postgres = await startDatabase(join(dataDir, "postgres"));
  closing.push(() => postgres.stop());
  const secondPort = await freePort(basePort + 400);
  const env = {
    ...serviceEnv,
    // Agents ask now one instance, now the other, with the same signature.
    BURSAR_PUBLIC_URLS: [basePort + 200, secondPort].map((port) => `http://127.0.0.1:${port}`).join(","),
    BURSAR_RPC_URL: rpc.url,
    ...(redis && { BURSAR_LOCKS: "redis", REDIS_URL: redis.url }),
    ...(!redis && { BURSAR_LOCKS: "postgres" }),
  };
  const stack = await startStack({
    dataDir,
    isWebWanted: false,
    ports: { chain: chainPort, api: basePort + 200, web: basePort + 300 },
    env,
    progress: beginnings(onProgress),
  });
  closing.push(() => stack.stop());
  let fallen: string | null = null;
  const fell = ({ name }: Pick<Program, "name">) => {
    fallen ??= name;
  };
  void stack.failed.then(fell);
  const second = secondService(dataDir, secondPort, env, fell);
  await second.start();
  closing.push(second.kill);
  return {
    rpcUrl,
    apiUrls: [stack.apiUrl, second.url],
    rpc,
    redis,
    postgres: postgres.connection,
    async killService(which, downMs) {
      await (which === 0 ? stack.killService() : second.kill());
      await pause(downMs);
      await (which === 0 ? stack.startService() : second.start());
    },
    killPostgres: postgres.kill,
    fallen: () => fallen,
  };
}

/** Started here, so that it outlives a killed service: whoever comes later adopts it. */
async function startDatabase(folder: string) {
  let server = await startPostgres({ dataDir: folder });
  return {
    connection: server.connection,
    async kill(downMs: number): Promise<void> {
      const pid = Number.parseInt(await readFile(join(folder, "postmaster.pid"), "utf8"), 10);
      process.kill(pid, "SIGKILL");
      await pause(downMs);
      server = await startPostgres({ dataDir: folder });
    },
    stop: () => server.stop(),
  };
}

/** Another instance beside the stack's own; `fell` hears of it when it ends without being killed. */
function secondService(
  dataDir: string,
  port: number,
  env: Readonly<Record<string, string>>,
  fell: (program: Program) => void,
) {
  const url = `http://127.0.0.1:${port}`;
  let running: Program | null = null;
  return {
    url,
    async start(): Promise<void> {
      const program = startProgram({
        name: "second service",
        command: process.execPath,
        args: [join(root, "offchain/main.ts")],
        env: { ...env, BURSAR_PORT: String(port), BURSAR_DATA_DIR: dataDir },
        logFile: join(dataDir, "logs/second.log"),
      });
      void program.exited.then(() => {
        if (running === program) fell(program);
      });
      running = program;
      await untilReady(program, async () => (await fetch(`${url}/ready`)).ok, {
        timeoutMs: readyTimeoutMs,
      });
    },
    async kill(): Promise<void> {
      const program = running;
      running = null;
      program?.child.kill("SIGKILL");
      await program?.exited;
    },
  };
}
