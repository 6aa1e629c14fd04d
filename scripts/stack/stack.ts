import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { addresses } from "#addresses";
import type { Build } from "../deploy.ts";
import { buildDashboard } from "./dashboard.ts";
import { freePort } from "./port.ts";
import { NotReady, type Program, startProgram, untilReady } from "./process.ts";

const root = join(import.meta.dirname, "../..");
const chainId = 31337;
const readyTimeoutMs = 60_000;

/** The ports that are tried first. */
export const wantedPorts = { chain: 8545, api: 4020, web: 3000 };

export interface StackOptions {
  /** Database, keys and logs. */
  dataDir: string;
  build?: Build;
  isWebWanted?: boolean;
  ports?: Partial<typeof wantedPorts>;
  /** Further settings of the service. */
  env?: Readonly<Record<string, string>>;
  /** Puts the contracts on the fresh chain in a way of one's own; `deploy` is the usual one. */
  deploy?: (rpcUrl: string, deploy: () => Promise<void>) => Promise<void>;
  onProgress?: (what: string) => void;
}

/** A running chain, service and dashboard. */
export interface Stack {
  readonly rpcUrl: string;
  readonly apiUrl: string;
  readonly webUrl: string | null;
  readonly dataDir: string;
  /** Resolves with the first program that ends by itself. */
  readonly failed: Promise<Program>;
  /** Kills the service at once (SIGKILL). */
  killService(): Promise<void>;
  /** Starts the killed service again, on the same port; resolves when it answers. */
  startService(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything in order, each step when the one before answers. What was started is stopped if a step fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const progress = options.onProgress ?? (() => {});
  const running: Program[] = [];
  try {
    return await bringUp(options, progress, running);
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

async function bringUp(
  options: StackOptions,
  progress: (what: string) => void,
  running: Program[],
): Promise<Stack> {
  await mkdir(options.dataDir, { recursive: true });
  const logs = join(options.dataDir, "logs");
  const ports = await choosePorts({ ...wantedPorts, ...options.ports }, progress);
  const rpcUrl = `http://127.0.0.1:${ports.chain}`;
  const apiUrl = `http://127.0.0.1:${ports.api}`;
  const webUrl = `http://localhost:${ports.web}`;
  let stopping = false;
  let onFailed: (program: Program) => void = () => {};
  const failed = new Promise<Program>((resolve) => {
    onFailed = resolve;
  });
  const keep = (program: Program): Program => {
    running.push(program);
    void program.exited.then(() => {
      if (!stopping && running.includes(program)) onFailed(program);
    });
    return program;
  };

  progress("starting the chain");
  const chain = keep(
    startProgram({
      name: "chain",
      command: process.execPath,
      args: [
        join(root, "node_modules/hardhat/dist/src/cli.js"),
        "node",
        "--port",
        String(ports.chain),
        "--hostname",
        "127.0.0.1",
      ],
    }),
  );
  await untilReady(chain, () => isChainUp(rpcUrl), { timeoutMs: readyTimeoutMs });
  progress("compiling and deploying the contracts (the first time takes some two minutes)");
  const deploy = () => deployContracts(rpcUrl, options.build ?? "production", join(logs, "deploy.log"));
  await (options.deploy ? options.deploy(rpcUrl, deploy) : deploy());

  const serviceEnv = {
    BURSAR_PORT: String(ports.api),
    BURSAR_RPC_URL: rpcUrl,
    BURSAR_DATA_DIR: options.dataDir,
    BURSAR_CORS_ORIGINS: `${webUrl},http://127.0.0.1:${ports.web}`,
    ...options.env,
  };
  const logFile = join(logs, "service.log");
  const startService = () =>
    startProgram({
      name: "service",
      command: process.execPath,
      args: [...serviceOptions, join(root, "offchain/main.ts")],
      env: serviceEnv,
      logFile,
    });
  const serviceReady = (program: Program) =>
    untilReady(program, () => answers(`${apiUrl}/ready`), {
      timeoutMs: readyTimeoutMs,
      lastWords: () => tail(logFile),
    });
  progress("starting the service and its database");
  let service = keep(startService());
  await serviceReady(service);

  if (options.isWebWanted ?? true) {
    progress("building the dashboard (only when its sources changed)");
    await buildDashboard(join(logs, "web-build.log"));
    progress("starting the dashboard");
    const web = keep(
      startProgram({
        name: "dashboard",
        command: process.execPath,
        args: [
          join(root, "node_modules/next/dist/bin/next"),
          "start",
          join(root, "web"),
          "--port",
          String(ports.web),
        ],
        env: {
          NEXT_TELEMETRY_DISABLED: "1",
          BURSAR_API_URL: apiUrl,
          BURSAR_RPC_URL: rpcUrl,
          BURSAR_CHAIN_ID: String(chainId),
          BURSAR_TREASURY: addresses[chainId].Treasury,
          BURSAR_DEV_WALLET: "1",
        },
        logFile: join(logs, "web.log"),
      }),
    );
    await untilReady(web, () => answers(`${webUrl}/config.json`), {
      timeoutMs: readyTimeoutMs,
      lastWords: () => tail(join(logs, "web.log")),
    });
  }

  return {
    rpcUrl,
    apiUrl,
    webUrl: (options.isWebWanted ?? true) ? webUrl : null,
    dataDir: options.dataDir,
    failed,
    async killService() {
      running.splice(running.indexOf(service), 1);
      service.child.kill("SIGKILL");
      await service.exited;
    },
    async startService() {
      service = keep(startService());
      await serviceReady(service);
    },
    async stop() {
      stopping = true;
      await stopAll(running);
    },
  };
}

/** Thousands of payments are on their way at once: in a large nursery most of them die before they are ever copied. */
const serviceOptions = ["--max-semi-space-size=128"];

/** In a process of its own: the compiler's warnings and Hardhat's state stay out of ours. */
async function deployContracts(rpcUrl: string, build: Build, logFile: string): Promise<void> {
  const program = startProgram({
    name: "deployment",
    command: process.execPath,
    args: [join(root, "scripts/deploy.ts"), "--rpc-url", rpcUrl],
    env: { BURSAR_BUILD: build, HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: "false" },
    logFile,
  });
  const code = await program.exited;
  if (code !== 0) throw new NotReady(`the contracts could not be deployed (${code})\n${await tail(logFile)}`);
}

async function stopAll(running: Program[]): Promise<void> {
  for (const program of running.splice(0).toReversed()) await program.stop();
}

async function choosePorts(
  wanted: typeof wantedPorts,
  progress: (what: string) => void,
): Promise<typeof wantedPorts> {
  const chosen = { ...wanted };
  for (const name of ["chain", "api", "web"] as const) {
    chosen[name] = await freePort(wanted[name]);
    if (chosen[name] !== wanted[name])
      progress(`port ${wanted[name]} is taken; the ${name} uses ${chosen[name]}`);
  }
  return chosen;
}

async function isChainUp(rpcUrl: string): Promise<boolean> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
  });
  const { result } = (await response.json()) as { result?: string };
  return Number(result) === chainId;
}

const answers = async (url: string): Promise<boolean> => (await fetch(url)).ok;

const tail = async (file: string): Promise<string> =>
  (await readFile(file, "utf8").catch(() => "")).slice(-3_000);
