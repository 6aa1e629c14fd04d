import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { deployContracts, startChain } from "./chain.ts";
import { buildDashboard, startDashboard } from "./dashboard.ts";
import { freePort } from "./port.ts";
import type { Program } from "./process.ts";
import { Programs } from "./programs.ts";
import { beginnings, type Progress } from "./progress.ts";
import { startService } from "./service.ts";

/** The ports that are tried first. */
export const wantedPorts = { chain: 8545, api: 4020, web: 3000 };

export interface StackOptions {
  /** Database, keys and logs. */
  dataDir: string;
  isWebWanted?: boolean;
  ports?: Partial<typeof wantedPorts>;
  /** Further settings of the service. */
  env?: Readonly<Record<string, string>>;
  /** Puts the contracts on the fresh chain in a way of one's own; `deploy` is the usual one. */
  deploy?: (rpcUrl: string, deploy: () => Promise<void>) => Promise<void>;
  progress?: Progress;
  /** Stops what was started so far; the start then fails. */
  signal?: AbortSignal;
}

/** A running chain and service, and a dashboard that runs or is being built. */
export interface Stack {
  readonly rpcUrl: string;
  readonly apiUrl: string;
  readonly webUrl: string | null;
  /** Resolves when the dashboard answers, or none is wanted; fails if it cannot be built. */
  readonly webReady: Promise<void>;
  readonly dataDir: string;
  /** Resolves with the first program that ends by itself. */
  readonly failed: Promise<Program>;
  /** Kills the service at once (SIGKILL). */
  killService(): Promise<void>;
  /** Starts the killed service again, on the same port; resolves when it answers. */
  startService(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts everything; resolves when the service answers. The dashboard is built meanwhile, and may take longer. What was
 * started is stopped if a step fails.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const programs = new Programs();
  const abandon = () => void programs.stop();
  options.signal?.addEventListener("abort", abandon);
  try {
    return await bringUp(options, options.progress ?? beginnings(() => {}), programs);
  } catch (error) {
    await programs.stop();
    throw error;
  } finally {
    // From here on whoever has the stack stops it, in an order of his own.
    options.signal?.removeEventListener("abort", abandon);
  }
}

async function bringUp(options: StackOptions, progress: Progress, programs: Programs): Promise<Stack> {
  const { dataDir, isWebWanted = true, env } = options;
  const logs = join(dataDir, "logs");
  await mkdir(logs, { recursive: true });
  const ports = await choosePorts({ ...wantedPorts, ...options.ports }, progress);
  const rpcUrl = `http://127.0.0.1:${ports.chain}`;
  const apiUrl = `http://127.0.0.1:${ports.api}`;
  const webUrl = `http://localhost:${ports.web}`;

  const webReady = isWebWanted
    ? (async () => {
        await buildDashboard(join(logs, "web-build.log"), { programs, progress });
        await progress.during("starting the dashboard", () =>
          startDashboard(programs, { port: ports.web, apiUrl, rpcUrl, logFile: join(logs, "web.log") }),
        );
      })()
    : Promise.resolve();
  // Whoever waits for the dashboard is told; a start that fails before is told of that.
  webReady.catch(() => {});

  await progress.during("starting the chain", () => startChain(programs, ports.chain));
  const usual = () => deployContracts(programs, { rpcUrl, logFile: join(logs, "deploy.log"), progress });
  await progress.during("deploying the contracts", () =>
    options.deploy ? options.deploy(rpcUrl, usual) : usual(),
  );
  const serviceOptions = {
    apiUrl,
    env: {
      BURSAR_PORT: String(ports.api),
      BURSAR_RPC_URL: rpcUrl,
      BURSAR_DATA_DIR: dataDir,
      BURSAR_CORS_ORIGINS: `${webUrl},http://127.0.0.1:${ports.web}`,
      ...env,
    },
    logFile: join(logs, "service.log"),
  };
  let service = await progress.during("starting the service and its database", () =>
    startService(programs, serviceOptions),
  );

  return {
    rpcUrl,
    apiUrl,
    webUrl: isWebWanted ? webUrl : null,
    webReady,
    dataDir,
    failed: programs.failed,
    killService: () => programs.kill(service),
    async startService() {
      service = await startService(programs, serviceOptions);
    },
    stop: () => programs.stop(),
  };
}

async function choosePorts(wanted: typeof wantedPorts, progress: Progress): Promise<typeof wantedPorts> {
  const chosen = { ...wanted };
  for (const name of ["chain", "api", "web"] as const) {
    chosen[name] = await freePort(wanted[name]);
    if (chosen[name] !== wanted[name])
      progress.say(
        `port ${wanted[name]} is taken, so the ${name} uses ${chosen[name]}; --${name}-port <n> tries another first`,
      );
  }
  return chosen;
}
