import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chainId, deployContracts, type LocalChain, secondChainId, startChain } from "./chain.ts";
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
  /** How many local chains the service follows. */
  chains?: 1 | 2;
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
  /** Every chain, the service's default one first. */
  readonly chains: readonly Pick<LocalChain, "chainId" | "rpcUrl">[];
  readonly apiUrl: string;
  readonly webUrl: string | null;
  /** Resolves when the dashboard answers, or none is wanted; fails if it cannot be built. */
  readonly webReady: Promise<void>;
  readonly dataDir: string;
  /** Resolves with the first program that ends by itself. */
  readonly failed: Promise<Program>;
  /** Kills a chain at once (SIGKILL). */
  killChain(id: number): Promise<void>;
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

  const chains = [await freshChain(options, progress, programs, ports.chain, chainId)];
  if (options.chains === 2) {
    const port = await freePort(ports.chain + 1);
    chains.push(await freshChain(options, progress, programs, port, secondChainId));
  }
  const others = chains.slice(1);
  const serviceOptions = {
    apiUrl,
    env: {
      BURSAR_PORT: String(ports.api),
      BURSAR_RPC_URL: rpcUrl,
      BURSAR_OTHER_CHAINS: others.map((chain) => chain.chainId).join(","),
      ...Object.fromEntries(others.map((chain) => [`BURSAR_RPC_URL_${chain.chainId}`, chain.rpcUrl])),
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
    chains,
    apiUrl,
    webUrl: isWebWanted ? webUrl : null,
    webReady,
    dataDir,
    failed: programs.failed,
    async killChain(id) {
      const killed = chains.find((chain) => chain.chainId === id);
      if (killed) await programs.kill(killed.program);
    },
    killService: () => programs.kill(service),
    async startService() {
      service = await startService(programs, serviceOptions);
    },
    stop: () => programs.stop(),
  };
}

/** Starts a local chain and puts the contracts on it. */
async function freshChain(
  { dataDir, deploy }: StackOptions,
  progress: Progress,
  programs: Programs,
  port: number,
  id: number,
): Promise<LocalChain> {
  const which = id === chainId ? "" : ` ${id}`;
  const chain = await progress.during(`starting the chain${which}`, () => startChain(programs, port, id));
  const { rpcUrl } = chain;
  const logFile = join(dataDir, "logs", id === chainId ? "deploy.log" : `deploy-${id}.log`);
  const usual = () => deployContracts(programs, { rpcUrl, logFile, progress });
  const on = which && ` on chain${which}`;
  await progress.during(`deploying the contracts${on}`, () => (deploy ? deploy(rpcUrl, usual) : usual()));
  return chain;
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
