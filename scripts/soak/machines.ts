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
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    return await bringUp();
  } catch (error) {
    await stop();
    throw error;
  }

  async function bringUp(): Promise<Machines> {
    const chainPort = await freePort(basePort);
    const rpcUrl = `http://127.0.0.1:${chainPort}`;
    const rpc = await startFlakyRpc(rpcUrl, await freePort(basePort + 100), random);
    closing.push(() => rpc.stop());
    const redis = await startRedis();
    if (redis) closing.push(() => redis.stop());
    // Started here, so that it outlives a killed service: whoever comes later adopts it.
    const folder = join(dataDir, "postgres");
    let server = await startPostgres({ dataDir: folder });
    closing.push(() => server.stop());
    const env = {
      ...serviceEnv,
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
    void stack.failed.then(({ name }) => {
      fallen ??= name;
    });
    const port = await freePort(basePort + 400);
    const secondUrl = `http://127.0.0.1:${port}`;
    const startSecond = async (): Promise<Program> => {
      const program = startProgram({
        name: "second service",
        command: process.execPath,
        args: [join(root, "offchain/main.ts")],
        env: { ...env, BURSAR_PORT: String(port), BURSAR_DATA_DIR: dataDir },
        logFile: join(dataDir, "logs/second.log"),
      });
      void program.exited.then(() => {
        if (second === program) fallen ??= program.name;
      });
      second = program;
      await untilReady(program, async () => (await fetch(`${secondUrl}/ready`)).ok, {
        timeoutMs: readyTimeoutMs,
      });
      return program;
    };
    let second: Program | null = null;
    await startSecond();
    const killSecond = async () => {
      const program = second;
      second = null;
      program?.child.kill("SIGKILL");
      await program?.exited;
    };
    closing.push(killSecond);

    return {
      rpcUrl,
      apiUrls: [stack.apiUrl, secondUrl],
      rpc,
      redis,
      postgres: server.connection,
      async killService(which, downMs) {
        await (which === 0 ? stack.killService() : killSecond());
        await pause(downMs);
        await (which === 0 ? stack.startService() : startSecond());
      },
      async killPostgres(downMs) {
        const pid = Number.parseInt(await readFile(join(folder, "postmaster.pid"), "utf8"), 10);
        process.kill(pid, "SIGKILL");
        await pause(downMs);
        server = await startPostgres({ dataDir: folder });
      },
      fallen: () => fallen,
      stop,
    };
  }
}
